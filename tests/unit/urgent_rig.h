/*
 * urgent_rig.h - the urgent service, driven: what its tests share.
 */
#ifndef HAVRE_TEST_URGENT_RIG_H
#define HAVRE_TEST_URGENT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/urgent/urgent.h"
#include "tests/unit/drive.h"

#define CASE "HV-TEST-0001-A"

static struct fixture *fixture;
static struct drive *d;

static inline int setup(void **state)
{
	(void)state;
	fixture = fixture_make();
	d = drive_make(fixture, &urgent_service, "urgent");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	drive_free(&d);
	fixture_free(&fixture);
	return 0;
}

static inline void send_threat_of(const char *number, const char *partner, int64_t at)
{
	ThreatCode codes[] = {THREAT_CODE__LIKELY_KILLED};
	ProtectionRequest p = PROTECTION_REQUEST__INIT;
	Threat t = THREAT__INIT;

	p.threats = codes;
	p.n_threats = 1;
	t.case_number = (char *)number;
	t.partner = (char *)partner;
	t.received_at = at;
	t.protection = &p;
	t.priority = PRIORITY__EMERGENCY;
	drive_send(d, KIND_SEND_THREAT, "intake", &t.base, at);
}

static inline void send_threat(int64_t at)
{
	send_threat_of(CASE, "partner-a", at);
}

static inline void acknowledge_of(const char *number, const char *officer, int64_t at)
{
	AlertAck a = ALERT_ACK__INIT;

	a.case_number = (char *)number;
	drive_send(d, KIND_ACKNOWLEDGE_ALERT, officer, &a.base, at);
}

static inline void acknowledge(const char *officer, int64_t at)
{
	acknowledge_of(CASE, officer, at);
}

static inline const AlertEntry *burning(void)
{
	AlertsQuery q = ALERTS_QUERY__INIT;
	const AlertsAnswer *a =
		(const AlertsAnswer *)drive_ask(d, KIND_ASK_ALERTS, "officer-1", &q.base);

	return a->n_alerts ? a->alerts[0] : NULL;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif

/*
 * rule_tests.h - the test functions of rules.def, one for each row, declared from it. Pure.
 */
#ifndef HAVRE_SCREENING_RULE_TESTS_H
#define HAVRE_SCREENING_RULE_TESTS_H

#include "services/screening/rules.h"

#define TEST_CASE(test)                            Finding rule_##test(const Facts *f)
#define TEST_MEMBER(test)                          Finding rule_##test(const Facts *f, const Member *m)
#define RULE(name, number, law, scope, check, ...) TEST_##scope(check);
#include "services/screening/rules.def"
#undef RULE
#undef TEST_CASE
#undef TEST_MEMBER

#endif

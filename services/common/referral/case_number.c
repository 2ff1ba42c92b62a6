#include "services/common/referral/case_number.h"

#include <string.h>

#include "proto/bytes.h"

#define RANDOM_CHARACTERS 8

static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTVWXYZ";
#define PRIME ((unsigned)sizeof(alphabet) - 1)
_Static_assert(PRIME == 31, "the check needs a prime number of letters");

static const char pattern[CASE_NUMBER_SIZE] = "HV-****-****-*";

/*
 * Character i (from 1) counts i times, and the sum is 0 modulo 31. The weights differ from each
 * other and from 0 modulo a prime, so neither a substitution of one character nor an exchange of
 * any two can leave the sum as it was.
 */
static unsigned weighted_sum(const unsigned *values, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (i + 1) * values[i];
	return sum % PRIME;
}

void case_number_make(const uint8_t random[8], char out[CASE_NUMBER_SIZE])
{
	unsigned values[RANDOM_CHARACTERS + 1], n = 0;
	uint64_t r = be64_get(random);

	/* 31^8 divides 2^64 so often that no character is likelier by more than 1 in 10^7. */
	for (; n < RANDOM_CHARACTERS; n++, r /= PRIME)
		values[n] = (unsigned)(r % PRIME);
	/* 9 * check = -sum, and 9 * 7 = 1 modulo 31. */
	values[n] = (PRIME - weighted_sum(values, n)) * 7 % PRIME;
	n = 0;
	for (unsigned i = 0; i < CASE_NUMBER_SIZE; i++)
		out[i] = pattern[i] == '*' ? alphabet[values[n++]] : pattern[i];
}

bool case_number_valid(const char *text)
{
	unsigned values[RANDOM_CHARACTERS + 1], n = 0;

	if (strlen(text) != CASE_NUMBER_SIZE - 1)
		return false;
	for (unsigned i = 0; i < CASE_NUMBER_SIZE - 1; i++) {
		const char *letter = strchr(alphabet, text[i]);

		if (pattern[i] != '*' ? text[i] != pattern[i] : !letter)
			return false;
		if (pattern[i] == '*')
			values[n++] = (unsigned)(letter - alphabet);
	}
	return weighted_sum(values, n) == 0;
}

#include "monocypher.h"

#include <string.h>

#undef crypto_eddsa_check_equation
int crypto_eddsa_check_equation(const uint8_t signature[64], const uint8_t public_key[32],
                                const uint8_t h[32]);

#define ANSWERS 64u

/* The last questions and their answers. */
static struct {
    uint8_t question[128];
    int answer;
} answers[ANSWERS];
static unsigned next;

int remembered_check_equation(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t h[32])
{
    uint8_t question[128];
    memcpy(question, signature, 64);
    memcpy(question + 64, public_key, 32);
    memcpy(question + 96, h, 32);
    for (unsigned i = 0; i < ANSWERS; i++)
        if (memcmp(answers[i].question, question, sizeof question) == 0)
            return answers[i].answer;
    next = (next + 1u) % ANSWERS;
    memcpy(answers[next].question, question, sizeof question);
    answers[next].answer = crypto_eddsa_check_equation(signature, public_key, h);
    return answers[next].answer;
}

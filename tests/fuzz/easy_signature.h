/* Included before all else. In place of Monocypher, whose thousandth of a second a fuzzer has not got,
 * signature.c calls functions of easy_signature.c, by which anybody can sign: what lies behind a signature is
 * looked at as if an attacker had a key. fuzz_signature.c has the real ones. */
#ifndef EASY_SIGNATURE_H
#define EASY_SIGNATURE_H

#define crypto_blake2b_init easy_blake2b_init
#define crypto_blake2b_update easy_blake2b_update
#define crypto_blake2b_final easy_blake2b_final
#define crypto_eddsa_reduce easy_eddsa_reduce
#define crypto_eddsa_check_equation easy_eddsa_check_equation

#endif

/* Included before all else: Monocypher is asked about each signature once. Its answer depends on nothing but
 * what it is asked, and takes a tenth of a millisecond; a headset that starts again and again asks the same. */
#ifndef REMEMBERED_H
#define REMEMBERED_H

#define crypto_eddsa_check_equation remembered_check_equation

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS for vext: parse certificates, verify RSA and ECDSA signatures over SHA-2, nothing else.
 *
 * What vext must refuse is not compiled in where mbedTLS allows that: MD5, SHA-1, RSA-PSS,
 * compressed points, curves other than P-256 and P-384, PEM. src/deps/build installs
 * this file as <mbedtls/mbedtls_config.h>, so the library and its users can't disagree about it.
 *
 * Not here either: the PKCS#7 module (vext walks that structure with its own strict grammar), PSA,
 * TLS, file access, clocks, random numbers, threads, self tests, texts of error codes.
 */
#ifndef VEXT_MBEDTLS_CONFIG_H
#define VEXT_MBEDTLS_CONFIG_H

/* Certificates. PEM is read by core/pem.h. */
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO /* the long texts; subject and serial can still be printed */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_OID_C

/* Public keys. Explicit curve parameters and compressed points are off: no such certificate is wanted. */
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C

/* RSA, PKCS#1 v1.5 only. */
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15

/* ECDSA. ASN1_WRITE_C is demanded by check_config.h for signing; the linker drops it. */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM /* fast reduction: a signature in milliseconds, for 1 KiB of code */

/*
 * The curves' tables for their base points: a third less time, for 12 KiB. arm64, whose code is
 * larger, does without.
 */
#define MBEDTLS_ECP_WINDOW_SIZE 4
#if defined(__aarch64__)
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#else
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 1
#endif

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_MPI_MAX_SIZE 1024 /* bytes: RSA up to 8192 bits */

/* SHA-256 also hashes every block of an image (verify --deep), so it is not the smaller, slower one. */
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#if defined(__aarch64__)
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#endif

/* An ignored result of a verification is a warning, and warnings are errors here. */
#define MBEDTLS_CHECK_RETURN_WARNING
#define MBEDTLS_DEPRECATED_REMOVED

#endif

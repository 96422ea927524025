/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS's pk_wrap.c without private keys.
 *
 * mbedTLS reaches all that a key can do through one table for each kind of key, so the linker has
 * to keep signing, decrypting and the arithmetic of private keys for whoever verifies. Here these
 * entries fail.
 */
#include "common.h"
#include "pk_wrap.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/ecp.h"
#include "mbedtls/rsa.h"

#define mbedtls_ecdsa_write_signature(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE
#define mbedtls_ecp_check_pub_priv(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE
#define mbedtls_rsa_check_pub_priv(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE
#define mbedtls_rsa_pkcs1_decrypt(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE
#define mbedtls_rsa_pkcs1_encrypt(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE
#define mbedtls_rsa_pkcs1_sign(...) MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE

#include "pk_wrap.c"

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own check of root hash signatures: whether this kernel has one, whether it knows the
 * signer, and how a signature reaches it.
 *
 * dm-verity asks for a key of type "user" by the description that the table names
 * (root_hash_sig_key_desc), takes its payload for a PKCS#7, and checks that against its own keyrings.
 * Sources: Linux drivers/md/dm-verity-verify-sig.c; security/keys/proc.c and keyctl(2) for looking into
 * keyrings; crypto/asymmetric_keys/x509_public_key.c for what a certificate's key is called.
 */
#ifndef VEXT_SYS_KEYRING_H
#define VEXT_SYS_KEYRING_H

#include "vext.h"

/*
 * Can dm-verity check signatures? By its module parameter require_signatures, which exists where the
 * check was compiled in (CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG): so asking makes no noise in the kernel
 * log. False also while the module is not loaded, and without /sys.
 */
bool keyring_kernel_checks(void);

/*
 * Is the signer's certificate in a keyring that dm-verity uses: builtin, secondary (with machine), platform
 * (UEFI's db) or dm-verity's own, which Linux 7.0 and later have (and which does not count before it is sealed; that
 * can't be seen)? By the name that the kernel gives a certificate's key, so this is a hint about what is worth
 * asking, never a decision. False without /proc.
 */
bool keyring_knows(const struct signer *signer);

/* A signature in this thread's own keyring, which dm-verity searches first. */
struct keyring_loan {
	int32_t key; /* 0: none */
};

#define KEYRING_NO_LOAN ((struct keyring_loan){ .key = 0 })

/*
 * Puts `size` bytes of PKCS#7 there under `description`; kernel.keyring where not. `loan` is written on
 * success only, and taken back by the caller as soon as the table is loaded.
 */
struct verdict keyring_lend(const char *description, const uint8_t *signature, size_t size,
			    struct keyring_loan *loan);
void keyring_take_back(struct keyring_loan *loan);

#endif

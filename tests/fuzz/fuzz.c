/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mbedtls/bignum.h>
#include <mbedtls/md.h>

#include "core/claim.h"
#include "core/der.h"
#include "core/text.h"
#include "keys.h"
#include "probe/parse.h"

_Static_assert(RSA_SIZE == FUZZ_RSA_SIZE, "the RSA key is of 2048 bits");

_Noreturn void fuzz_violated(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

unsigned fuzz_group(struct verdict v)
{
	holds(v.reason != REASON_UNDECIDED && reason_is_known((uint32_t)v.reason));
	return (unsigned)v.reason / 100;
}

uint8_t *fuzz_copy(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size);

	holds(copy || size == 0);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

size_t fuzz_base64(const uint8_t *bytes, size_t size, char *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *const start = to;

	for (size_t i = 0; i < size; i += 3) {
		const uint32_t group = (uint32_t)bytes[i] << 16 |
				       (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
				       (i + 2 < size ? bytes[i + 2] : 0);

		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
		*to++ = i + 2 < size ? digits[group & 63] : '=';
	}
	*to = 0;
	return (size_t)(to - start);
}

/* ---- heap ---------------------------------------------------------------------------------- */

/* Of the sanitizer, where there is one. */
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
	void (*)(const volatile void *, size_t), void (*)(const volatile void *));
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *);

static size_t heap_now, heap_peak; /* bytes, while heap_counted */
static bool heap_counted;

static void on_malloc(const volatile void *block, size_t size)
{
	(void)block;
	if (!heap_counted)
		return;
	heap_now += size;
	if (heap_now > heap_peak)
		heap_peak = heap_now;
}

static void on_free(const volatile void *block)
{
	size_t size = block && heap_counted ? __sanitizer_get_allocated_size(block) : 0;

	heap_now -= size < heap_now ? size : heap_now;
}

static void count_heap(bool on)
{
	static bool installed;

	if (!installed && __sanitizer_install_malloc_and_free_hooks)
		installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) != 0;
	heap_now = heap_peak = on ? 0 : heap_peak;
	heap_counted = on;
}

/* ---- images -------------------------------------------------------------------------------- */

static int image_file(const uint8_t *bytes, size_t size, uint64_t file_size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	holds(fd >= 0);
	holds(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	holds(ftruncate(fd, (off_t)file_size) == 0);
	return fd;
}

static bool is_parsers_group(struct verdict v)
{
	unsigned group = fuzz_group(v);

	return group == 0 || group == 1 || group == 2 || group == 3 || group == 5;
}

static void check_layout_again(const struct claim *claim, const struct claim *checked)
{
	if (claim->stage >= CLAIM_LAYOUT)
		holds(memcmp(&claim->layout, &checked->layout, sizeof(claim->layout)) == 0);
}

struct verdict fuzz_probe(const uint8_t *bytes, size_t size, uint64_t file_size,
			  struct claim *claim)
{
	struct parser parser = { .fd = image_file(bytes, size, file_size),
				 .size = file_size,
				 .arch = VEXT_ARCH };
	static struct claim checked;
	struct verdict v;

	memset(claim, 0, sizeof(*claim));
	count_heap(true);
	holds(parser_open(&parser));
	v = parser_run(&parser, claim);
	parser_close(&parser);
	count_heap(false);
	holds(heap_peak <= FUZZ_HEAP_MAX);
	holds(is_parsers_group(v));
	holds(is_accepted(v) == (claim->stage == CLAIM_COMPLETE));
	checked = *claim;
	holds(is_accepted(claim_check(&checked, file_size, VEXT_ARCH)));
	check_layout_again(claim, &checked);
	return v;
}

uint64_t fuzz_le(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | from[i - 1];
	return value;
}

void fuzz_put_le(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

void fuzz_swap_guid(const uint8_t from[16], uint8_t to[16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < 16; i++)
		to[i] = from[order[i]];
}

struct fuzz_table fuzz_table(uint8_t *bytes, size_t size)
{
	struct fuzz_table table = { 0 };

	for (uint32_t sector = 512; sector <= 4096; sector *= 8) {
		if (size < 3 * (size_t)sector || memcmp(bytes + sector, "EFI PART", 8) != 0)
			continue;
		table.sector_size = sector;
		table.header = bytes + sector;
		table.entries = bytes + 2 * (size_t)sector;
		table.count = (uint32_t)fuzz_le(table.header + 80, 4);
		if (table.count > 128)
			table.count = 128;
		if (table.count > (size - 2 * (size_t)sector) / 128)
			table.count = (uint32_t)((size - 2 * (size_t)sector) / 128);
		break;
	}
	return table;
}

/* UEFI 2.10, 5.3.2 has the CRC of IEEE 802.3. Four bits at a time. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc = table[(crc ^ bytes[i]) & 15] ^ crc >> 4;
		crc = table[(crc ^ bytes[i] >> 4) & 15] ^ crc >> 4;
	}
	return ~crc;
}

void fuzz_seal(uint8_t *bytes, size_t size)
{
	struct fuzz_table table = fuzz_table(bytes, size);
	size_t header_size;

	if (table.sector_size == 0)
		return;
	header_size = (size_t)fuzz_le(table.header + 12, 4);
	if (header_size < 92 || header_size > table.sector_size)
		header_size = 92;
	fuzz_put_le(table.header + 88, crc32(table.entries, table.count * 128u), 4);
	fuzz_put_le(table.header + 16, 0, 4);
	fuzz_put_le(table.header + 16, crc32(table.header, header_size), 4);
}

/* ---- public key operations ------------------------------------------------------------------ */

/*
 * Most inputs carry a signature that was seen before, and an operation on a curve takes as long as a hundred
 * inputs. So results are remembered, for exactly the same key and bytes: they depend on nothing else.
 */
#define KNOWN_MAX 64u
#define SIGNATURE_MAX 1024u

struct known {
	bool used;
	int result;
	mbedtls_md_type_t md;
	size_t hash_size, size;
	uint8_t key[sizeof(mbedtls_pk_context *)];
	uint8_t hash[MBEDTLS_MD_MAX_SIZE], signature[SIGNATURE_MAX];
};

int __real_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size);
int __wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size);

/* Only for the certificates of fuzz_anchors(): others come and go. */
static bool is_lasting(const mbedtls_pk_context *key)
{
	const struct anchors *anchors = fuzz_anchors();

	return (const uint8_t *)key >= (const uint8_t *)anchors &&
	       (const uint8_t *)key < (const uint8_t *)(anchors + 1);
}

static bool is_same(const struct known *a, const struct known *b)
{
	return a->used && a->md == b->md && a->hash_size == b->hash_size && a->size == b->size &&
	       memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->hash, b->hash, a->hash_size) == 0 &&
	       memcmp(a->signature, b->signature, a->size) == 0;
}

int __wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size)
{
	static struct known known[KNOWN_MAX];
	static unsigned last;
	struct known now = { .used = true, .md = md, .hash_size = hash_size, .size = size };

	if (!is_lasting(key) || hash_size > sizeof(now.hash) || size > sizeof(now.signature))
		return __real_mbedtls_pk_verify(key, md, hash, hash_size, signature, size);
	memcpy(now.key, &key, sizeof(key));
	memcpy(now.hash, hash, hash_size);
	memcpy(now.signature, signature, size);
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (is_same(&known[i], &now))
			return known[i].result;
	now.result = __real_mbedtls_pk_verify(key, md, hash, hash_size, signature, size);
	known[last++ % KNOWN_MAX] = now;
	return now.result;
}

/* ---- mbedTLS's parser of certificates ------------------------------------------------------- */

int __real_mbedtls_x509_crt_parse_der(mbedtls_x509_crt *certificate, const unsigned char *bytes,
				      size_t size);
int __wrap_mbedtls_x509_crt_parse_der(mbedtls_x509_crt *certificate, const unsigned char *bytes,
				      size_t size);

static bool (*parser_allows)(const uint8_t *bytes, size_t size);

void fuzz_guard_parser(bool (*allows)(const uint8_t *bytes, size_t size))
{
	parser_allows = allows;
}

int __wrap_mbedtls_x509_crt_parse_der(mbedtls_x509_crt *certificate, const unsigned char *bytes,
				      size_t size)
{
	holds(!parser_allows || parser_allows(bytes, size));
	return __real_mbedtls_x509_crt_parse_der(certificate, bytes, size);
}

/* ---- trust --------------------------------------------------------------------------------- */

struct fuzz_certificate fuzz_ca(void)
{
	return (struct fuzz_certificate){ certificate_ca, sizeof(certificate_ca) };
}

const struct anchors *fuzz_anchors(void)
{
	static struct anchors anchors;
	const struct fuzz_certificate certificates[] = {
		{ certificate_rsa, sizeof(certificate_rsa) },
		{ certificate_p256, sizeof(certificate_p256) },
		{ certificate_p384, sizeof(certificate_p384) },
		fuzz_ca(),
	};

	if (anchors.count > 0)
		return &anchors;
	anchors_init(&anchors);
	for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++)
		holds(is_accepted(anchors_add(&anchors, certificates[i].bytes, certificates[i].size,
					      ANCHOR_BAKED)));
	return &anchors;
}

#define PRIMES (sizeof(rsa_primes) / sizeof(rsa_primes[0]))

struct prime {
	mbedtls_mpi prime, exponent, before, inverse;
};

static void read_number(mbedtls_mpi *number, const char *text)
{
	mbedtls_mpi_init(number);
	holds(mbedtls_mpi_read_string(number, 16, text) == 0);
}

static const struct prime *key_primes(void)
{
	static struct prime primes[PRIMES];
	static bool ready;

	for (size_t i = 0; i < PRIMES && !ready; i++) {
		read_number(&primes[i].prime, rsa_primes[i].prime);
		read_number(&primes[i].exponent, rsa_primes[i].exponent);
		read_number(&primes[i].before, rsa_primes[i].before);
		read_number(&primes[i].inverse, rsa_primes[i].inverse);
	}
	ready = true;
	return primes;
}

/* One step of the Chinese remainder theorem (Garner): result grows by a multiple of the primes before. */
static int add_prime(const struct prime *p, const mbedtls_mpi *message, mbedtls_mpi *result)
{
	mbedtls_mpi part, reduced;
	int bad;

	mbedtls_mpi_init(&part);
	mbedtls_mpi_init(&reduced);
	bad = mbedtls_mpi_mod_mpi(&reduced, message, &p->prime) != 0 ||
	      mbedtls_mpi_exp_mod(&part, &reduced, &p->exponent, &p->prime, NULL) != 0 ||
	      mbedtls_mpi_sub_mpi(&part, &part, result) != 0 ||
	      mbedtls_mpi_mul_mpi(&part, &part, &p->inverse) != 0 ||
	      mbedtls_mpi_mod_mpi(&part, &part, &p->prime) != 0 ||
	      mbedtls_mpi_mul_mpi(&part, &part, &p->before) != 0 ||
	      mbedtls_mpi_add_mpi(result, result, &part) != 0;
	mbedtls_mpi_free(&part);
	mbedtls_mpi_free(&reduced);
	return bad;
}

static void private_operation(const uint8_t message[RSA_SIZE], uint8_t signature[RSA_SIZE])
{
	const struct prime *primes = key_primes();
	mbedtls_mpi m, result;

	mbedtls_mpi_init(&m);
	mbedtls_mpi_init(&result);
	holds(mbedtls_mpi_read_binary(&m, message, RSA_SIZE) == 0 &&
	      mbedtls_mpi_lset(&result, 0) == 0);
	for (size_t i = 0; i < PRIMES; i++)
		holds(add_prime(&primes[i], &m, &result) == 0);
	holds(mbedtls_mpi_write_binary(&result, signature, RSA_SIZE) == 0);
	mbedtls_mpi_free(&m);
	mbedtls_mpi_free(&result);
}

/* RFC 8017, 9.2: DigestInfo before the hash; only two bytes of it vary for SHA-2. */
static void pad(mbedtls_md_type_t md, const uint8_t *hash, size_t size, uint8_t message[RSA_SIZE])
{
	uint8_t info[19] = { 0x30,	   (uint8_t)(17 + size),
			     0x30,	   0x0d,
			     0x06,	   0x09,
			     0x60,	   0x86,
			     0x48,	   0x01,
			     0x65,	   0x03,
			     0x04,	   0x02,
			     0x00,	   0x05,
			     0x00,	   0x04,
			     (uint8_t)size };
	const size_t start = RSA_SIZE - size - sizeof(info);

	info[14] = md == MBEDTLS_MD_SHA256 ? 1 : md == MBEDTLS_MD_SHA384 ? 2 : 3;
	memset(message, 0xff, start - 1);
	message[0] = 0;
	message[1] = 1;
	message[start - 1] = 0;
	memcpy(message + start, info, sizeof(info));
	memcpy(message + start + sizeof(info), hash, size);
}

void fuzz_sign_bytes(mbedtls_md_type_t md, const uint8_t *bytes, size_t size,
		     uint8_t signature[FUZZ_RSA_SIZE])
{
	const mbedtls_md_info_t *info = mbedtls_md_info_from_type(md);
	uint8_t message[RSA_SIZE], hash[MBEDTLS_MD_MAX_SIZE];

	holds(mbedtls_md(info, bytes, size, hash) == 0);
	pad(md, hash, mbedtls_md_get_size(info), message);
	private_operation(message, signature);
}

void fuzz_sign(mbedtls_md_type_t md, const uint8_t root_hash[VEXT_HASH_SIZE],
	       uint8_t signature[FUZZ_RSA_SIZE])
{
	char content[2 * VEXT_HASH_SIZE + 1];
	struct text text;

	text_init(&text, content, sizeof(content));
	text_hex(&text, root_hash, VEXT_HASH_SIZE);
	fuzz_sign_bytes(md, (const uint8_t *)content, text.used, signature);
}

void fuzz_sign_again(uint8_t *bytes, size_t size)
{
	struct cursor c = cursor_over(bytes, size), fields;
	struct der tbs;

	if (der_take(&c, DER_SEQUENCE, &fields) && c.left == 0 && der_next(&fields, &tbs) &&
	    fields.left > FUZZ_RSA_SIZE)
		fuzz_sign_bytes(MBEDTLS_MD_SHA256, tbs.whole.at, tbs.whole.left,
				bytes + size - FUZZ_RSA_SIZE);
}

size_t fuzz_pkcs7(const uint8_t root_hash[VEXT_HASH_SIZE], uint8_t *to, size_t max_size)
{
	if (max_size < sizeof(pkcs7_start) + RSA_SIZE)
		return 0;
	memcpy(to, pkcs7_start, sizeof(pkcs7_start));
	fuzz_sign(MBEDTLS_MD_SHA256, root_hash, to + sizeof(pkcs7_start));
	return sizeof(pkcs7_start) + RSA_SIZE;
}

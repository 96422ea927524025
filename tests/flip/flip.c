/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every single bit: flips each bit of an accepted image, one at a time, and judges each result in full
 * (parser, the parent's check of its claim, signature, every block of tree and data). A flip must be
 * refused, or accepted with the very facts of the original. Bits of regions that vext relies on must be
 * refused, whatever the facts.
 *
 * What makes it fast changes no result:
 *  - Reads of the image are answered from memory, and noted for the original. A run that never looks at
 *    a byte can't come out differently for another value of it: a flip in a byte that nobody read needs no
 *    run, one that only the judge read needs no new claim. That the notes are complete is tested, by a
 *    run with all such bytes changed at once.
 *  - Two functions of mbedTLS without side effects, of a public key operation and of one step of a
 *    hash, are remembered for the original's inputs, and only for exactly those.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mbedtls/sha256.h>

#include "core/claim.h"
#include "core/verity.h"
#include "crypto/judge.h"
#include "probe/parse.h"

#define WORKERS_MAX 16u
#define OFFENDERS_MAX 20u
#define REASONS_MAX 1100u
#define CHUNK 4096u /* bytes that a worker takes at a time */

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_VIOLATED = 1,
	EXIT_USAGE = 2,
	EXIT_SYSTEM = 3,
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "flip: %s: %s\n", what, why);
	exit(EXIT_SYSTEM);
}

/* ---- the image, in memory ------------------------------------------------------------------ */

static struct {
	int fd; /* a memfd of `bytes`; libblkid wants a descriptor */
	uint64_t size;
	uint8_t *bytes;
	const uint8_t *original;
	uint64_t position; /* of fd */
	uint8_t *noted;	   /* one flag a byte, set by reads; NULL: nothing is noted */
} image;

static size_t image_read(uint64_t offset, void *buf, size_t size)
{
	if (offset >= image.size)
		return 0;
	if (size > image.size - offset)
		size = image.size - offset;
	memcpy(buf, image.bytes + offset, size);
	if (image.noted)
		memset(image.noted + offset, 1, size);
	return size;
}

ssize_t __real_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __real_read(int fd, void *buf, size_t size);
off_t __real_lseek(int fd, off_t offset, int whence);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_read(int fd, void *buf, size_t size);
off_t __wrap_lseek(int fd, off_t offset, int whence);

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset)
{
	if (fd != image.fd)
		return __real_pread(fd, buf, size, offset);
	return (ssize_t)image_read((uint64_t)offset, buf, size);
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	size_t done;

	if (fd != image.fd)
		return __real_read(fd, buf, size);
	done = image_read(image.position, buf, size);
	image.position += done;
	return (ssize_t)done;
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	if (fd != image.fd)
		return __real_lseek(fd, offset, whence);
	if (whence != SEEK_SET || offset < 0)
		die("lseek", "only from the start");
	image.position = (uint64_t)offset;
	return offset;
}

static struct verdict read_image(void *ctx, uint64_t offset, void *buf, size_t size)
{
	(void)ctx;
	if (image_read(offset, buf, size) != size)
		return verdict_at(REASON_IMAGE_TRUNCATED, image.size);
	return verdict(REASON_ACCEPTED);
}

/* A copy of the image that this process alone changes. */
static void make_private(void)
{
	image.fd = memfd_create("flip", MFD_CLOEXEC);
	if (image.fd < 0 || ftruncate(image.fd, (off_t)image.size) != 0)
		die("memfd", strerror(errno));
	image.bytes = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_SHARED, image.fd, 0);
	if (image.bytes == MAP_FAILED)
		die("memfd", strerror(errno));
	memcpy(image.bytes, image.original, image.size);
}

/* ---- what is remembered -------------------------------------------------------------------- */

static bool remembering;

struct hash_step {
	mbedtls_sha256_context before, after;
	uint8_t input[VEXT_BLOCK];
};

#define HASH_STEPS_MAX 1024u

static struct hash_step
	*hash_steps; /* of the original's blocks, in the order they were hashed first */
static uint32_t hash_step_count;

int __real_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input,
				 size_t size);
int __wrap_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input,
				 size_t size);

static bool is_step(const struct hash_step *step, const mbedtls_sha256_context *ctx,
		    const uint8_t *input)
{
	return memcmp(step->input, input, VEXT_BLOCK) == 0 &&
	       memcmp(&step->before, ctx, sizeof(*ctx)) == 0;
}

/* Blocks are hashed in nearly the same order every time, so the search starts behind the last one found. */
static const struct hash_step *find_step(const mbedtls_sha256_context *ctx, const uint8_t *input)
{
	static uint32_t last;

	for (uint32_t i = 1; i <= hash_step_count; i++) {
		uint32_t at = (last + i) % hash_step_count;

		if (is_step(&hash_steps[at], ctx, input)) {
			last = at;
			return &hash_steps[at];
		}
	}
	return NULL;
}

int __wrap_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input,
				 size_t size)
{
	const struct hash_step *known;
	struct hash_step *step;
	int result;

	if (size != VEXT_BLOCK)
		return __real_mbedtls_sha256_update(ctx, input, size);
	known = find_step(ctx, input);
	if (known) {
		*ctx = known->after;
		return 0;
	}
	if (!remembering || hash_step_count == HASH_STEPS_MAX)
		return __real_mbedtls_sha256_update(ctx, input, size);
	step = &hash_steps[hash_step_count];
	step->before = *ctx;
	memcpy(step->input, input, VEXT_BLOCK);
	result = __real_mbedtls_sha256_update(ctx, input, size);
	step->after = *ctx;
	hash_step_count += result == 0;
	return result;
}

#define SIGNATURE_MAX 1024u

static struct {
	bool is_known;
	const mbedtls_pk_context *key;
	mbedtls_md_type_t md;
	size_t hash_size, size;
	uint8_t hash[MBEDTLS_MD_MAX_SIZE], signature[SIGNATURE_MAX];
} verified;

int __real_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size);
int __wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size);

int __wrap_mbedtls_pk_verify(mbedtls_pk_context *key, mbedtls_md_type_t md,
			     const unsigned char *hash, size_t hash_size,
			     const unsigned char *signature, size_t size)
{
	int result;

	if (verified.is_known && verified.key == key && verified.md == md &&
	    verified.hash_size == hash_size && verified.size == size &&
	    memcmp(verified.hash, hash, hash_size) == 0 &&
	    memcmp(verified.signature, signature, size) == 0)
		return 0;
	result = __real_mbedtls_pk_verify(key, md, hash, hash_size, signature, size);
	if (remembering && result == 0 && hash_size <= sizeof(verified.hash) &&
	    size <= SIGNATURE_MAX) {
		verified.is_known = true;
		verified.key = key;
		verified.md = md;
		verified.hash_size = hash_size;
		verified.size = size;
		memcpy(verified.hash, hash, hash_size);
		memcpy(verified.signature, signature, size);
	}
	return result;
}

/* ---- judging ------------------------------------------------------------------------------- */

static enum judge_depth depth = JUDGE_EVERY_BLOCK;
static struct anchors anchors;
static struct demands demands;
static struct claim original_claim;
static struct facts original;

/* What probe_image() does, without the jail around the parser. */
static struct verdict make_claim(struct claim *claim, const char **violation)
{
	struct parser parser = { .fd = image.fd, .size = image.size, .arch = VEXT_ARCH };
	struct verdict v, checked;

	memset(claim, 0, sizeof(*claim));
	if (!parser_open(&parser))
		die("parser_open", strerror(errno));
	v = parser_run(&parser, claim);
	parser_close(&parser);
	if (is_accepted(v) != (claim->stage == CLAIM_COMPLETE))
		*violation = "the parser's verdict and stage disagree";
	checked = claim_check(claim, image.size, VEXT_ARCH);
	if (is_accepted(v) && !is_accepted(checked))
		*violation = "the parent refuses a claim that the parser completed";
	return is_accepted(checked) ? v : checked;
}

static struct verdict judge_claim(const struct claim *claim, struct facts *facts)
{
	static const struct reader reader = { .read = read_image, .ctx = NULL };
	static const struct origin origin = { .name = "flip" };
	static struct trusted_space space;
	const struct trusted *trusted;
	struct verdict v = judge(&anchors, &origin, &demands, claim, &reader, depth, &space,
				 &trusted);

	if (is_accepted(v))
		*facts = *trusted_facts(trusted);
	return v;
}

static bool is_same_extent(struct extent a, struct extent b)
{
	return a.offset == b.offset && a.size == b.size;
}

#define IS_SAME(field) (memcmp(&a->field, &b->field, sizeof(a->field)) == 0)

/*
 * What of the accepted image is not as in the original; NULL when all is. Not compared: the superblock's
 * UUID and the PKCS#7's bytes (its embedded certificate), which nobody signs and nothing depends on.
 */
static const char *difference(const struct facts *a, const struct facts *b)
{
	if (!IS_SAME(root_hash))
		return "another root hash";
	if (a->layout.role != b->layout.role || !is_same_extent(a->layout.data, b->layout.data) ||
	    !is_same_extent(a->layout.tree, b->layout.tree) ||
	    !is_same_extent(a->layout.signature, b->layout.signature))
		return "other extents";
	if (!IS_SAME(layout.data_uuid) || !IS_SAME(layout.tree_uuid))
		return "other partition UUIDs";
	if (a->verity.data_blocks != b->verity.data_blocks)
		return "another number of data blocks";
	if (a->verity.salt_size != b->verity.salt_size || !IS_SAME(verity.salt))
		return "another salt";
	if (a->filesystem != b->filesystem || a->filesystem_size != b->filesystem_size)
		return "another file system";
	if (!IS_SAME(signer.fingerprint) || strcmp(a->signer.subject, b->signer.subject) != 0)
		return "another signer";
	return NULL;
}

/* ---- regions ------------------------------------------------------------------------------- */

struct region {
	const char *name;
	bool is_relied_on; /* a flip must be refused, not only harmless */
	struct extent extent;
};

enum {
	REGIONS_MAX = 24
};

static struct region regions[REGIONS_MAX];
static uint32_t region_count;

static void add_region(const char *name, bool is_relied_on, uint64_t offset, uint64_t end)
{
	if (offset < end)
		regions[region_count++] = (struct region){
			name, is_relied_on, { .offset = offset, .size = end - offset }
		};
}

static void add_table_regions(void)
{
	const uint64_t sector = original_claim.sector_size, entries = VEXT_GPT_ENTRIES_MAX * 128u;
	const uint64_t backup_header = image.size - sector;

	add_region("MBR", false, 0, 512);
	add_region("GPT header", true, sector, sector + 92);
	add_region("GPT header, rest of its sector", false, sector + 92, 2 * sector);
	add_region("GPT entries", true, 2 * sector, 2 * sector + entries);
	add_region("backup GPT entries", false, backup_header - entries, backup_header);
	add_region("backup GPT header", false, backup_header, image.size);
}

static void add_tree_regions(void)
{
	const struct layout *layout = &original.layout;
	const uint64_t at = layout->tree.offset, salt = at + 88, end = at + layout->tree.size;
	struct verity_tree tree;

	if (!verity_tree(original.verity.data_blocks, &tree))
		die("tree", "no such shape");
	add_region("superblock, magic to type", true, at, at + 16);
	add_region("superblock, UUID", false, at + 16, at + 32);
	add_region("superblock, algorithm to salt size", true, at + 32, at + 82);
	add_region("superblock, padding", false, at + 82, salt);
	add_region("superblock, salt", true, salt, salt + original.verity.salt_size);
	add_region("superblock, rest of its block", false, salt + original.verity.salt_size,
		   at + VEXT_BLOCK);
	add_region("hash tree", depth == JUDGE_EVERY_BLOCK,
		   at + tree.start[tree.levels ? tree.levels - 1 : 0] * VEXT_BLOCK,
		   tree.levels ? at + tree.end * VEXT_BLOCK : 0);
	add_region("verity partition, rest", false, at + tree.end * VEXT_BLOCK, end);
}

static void add_regions(void)
{
	const struct layout *layout = &original.layout;
	const uint64_t data = layout->data.offset,
		       covered = original.verity.data_blocks * VEXT_BLOCK;
	const uint64_t envelope = layout->signature.offset, end = envelope + layout->signature.size;
	const uint8_t *nul = memchr(image.original + envelope, 0, layout->signature.size);
	const uint64_t text_end = nul ? (uint64_t)(nul - image.original) : end;

	add_table_regions();
	/* What is not judged now, the kernel judges when it is read. */
	add_region("data", depth == JUDGE_EVERY_BLOCK, data, data + covered);
	add_region("data partition, rest", false, data + covered, data + layout->data.size);
	add_tree_regions();
	/* With the first NUL: one bit makes it a space, which may follow a JSON object. */
	add_region("envelope, JSON", false, envelope, text_end + 1);
	add_region("envelope, padding", true, text_end + 1, end);
	/* Last, so that it gets what no other region has. */
	add_region("outside of all", false, 0, image.size);
}

static uint32_t region_of(uint64_t offset)
{
	uint32_t i = 0;

	while (offset < regions[i].extent.offset ||
	       offset - regions[i].extent.offset >= regions[i].extent.size)
		i++;
	return i;
}

/* ---- flipping ------------------------------------------------------------------------------ */

enum {
	READ_BY_PARSER = 1,
	READ_BY_JUDGE = 2
};

static uint8_t *reads;	 /* flags of a byte: who looks at it in the original */
static bool judge_all;	 /* even what nobody reads */
static const char *only; /* regions whose names start so */

struct tally {
	uint64_t flips, refused, identical, unread, violations;
	uint64_t reasons[REASONS_MAX];
};

struct offender {
	uint64_t byte;
	unsigned bit;
	uint32_t region;
	const char *what;
};

/* One worker's results; all workers' lie in shared memory. */
struct results {
	bool is_complete;
	uint32_t offender_count;
	struct offender offenders[OFFENDERS_MAX];
	struct tally tallies[REGIONS_MAX];
};

struct shared {
	_Atomic uint64_t next; /* byte that no worker has taken yet */
	struct results results[WORKERS_MAX];
};

static void note_offender(struct results *results, struct offender offender)
{
	results->tallies[offender.region].violations++;
	if (results->offender_count < OFFENDERS_MAX)
		results->offenders[results->offender_count++] = offender;
}

/* Judges the image as it is now; NULL or what is wrong with accepting it. */
static const char *judge_flip(uint8_t readers, bool is_relied_on, struct tally *tally)
{
	static struct claim own;
	const struct claim *claim = &original_claim;
	const char *violation = NULL;
	struct verdict v = verdict(REASON_ACCEPTED);
	struct facts facts;

	if (readers & READ_BY_PARSER) {
		v = make_claim(&own, &violation);
		claim = &own;
	}
	if (is_accepted(v))
		v = judge_claim(claim, &facts);
	if (is_accepted(v) && !violation)
		violation = difference(&facts, &original);
	if (is_accepted(v) && !violation && is_relied_on)
		violation = "nothing noticed it, where something must";
	if (!reason_is_known((uint32_t)v.reason) || (uint32_t)v.reason >= REASONS_MAX)
		violation = "no known reason";
	else
		tally->reasons[v.reason]++;
	if (violation)
		return violation;
	tally->refused += !is_accepted(v);
	tally->identical += is_accepted(v);
	return NULL;
}

static void flip_byte(uint64_t byte, struct results *results)
{
	const uint32_t region = region_of(byte);
	const bool is_relied_on = regions[region].is_relied_on;
	const uint8_t readers = judge_all ? READ_BY_PARSER | READ_BY_JUDGE : reads[byte];
	struct tally *tally = &results->tallies[region];

	if (only && strncmp(only, regions[region].name, strlen(only)) != 0)
		return;
	for (unsigned bit = 0; bit < 8; bit++) {
		const char *violation = NULL;

		tally->flips++;
		if (readers == 0 && !is_relied_on) {
			tally->unread++;
			continue;
		}
		image.bytes[byte] ^= (uint8_t)(1u << bit);
		violation = judge_flip(readers, is_relied_on, tally);
		image.bytes[byte] ^= (uint8_t)(1u << bit);
		if (violation)
			note_offender(results, (struct offender){ byte, bit, region, violation });
	}
}

static _Noreturn void work(struct shared *shared, struct results *results)
{
	uint64_t from;

	make_private();
	while ((from = atomic_fetch_add(&shared->next, CHUNK)) < image.size)
		for (uint64_t byte = from; byte < from + CHUNK && byte < image.size; byte++)
			flip_byte(byte, results);
	results->is_complete = memcmp(image.bytes, image.original, image.size) == 0;
	_exit(0);
}

/* ---- the original -------------------------------------------------------------------------- */

static void note_reads(uint8_t flag, const uint8_t *noted)
{
	for (uint64_t i = 0; i < image.size; i++)
		if (noted[i])
			reads[i] |= flag;
}

static void judge_original(void)
{
	uint8_t *by_parser = calloc(1, image.size), *by_judge = calloc(1, image.size);
	const char *violation = NULL;
	struct verdict v;

	reads = calloc(1, image.size);
	hash_steps = calloc(HASH_STEPS_MAX, sizeof(*hash_steps));
	if (!by_parser || !by_judge || !reads || !hash_steps)
		die("memory", strerror(errno));
	remembering = true;
	image.noted = by_parser;
	v = make_claim(&original_claim, &violation);
	image.noted = by_judge;
	if (is_accepted(v))
		v = judge_claim(&original_claim, &original);
	image.noted = NULL;
	remembering = false;
	if (!is_accepted(v) || violation)
		die("the original is not accepted", violation ? violation : reason_name(v.reason));
	note_reads(READ_BY_PARSER, by_parser);
	note_reads(READ_BY_JUDGE, by_judge);
	free(by_parser);
	free(by_judge);
}

/* Were reads missed? Changes every byte that is said to be unread, all at once. */
static void check_notes(bool complement)
{
	const char *violation = NULL;
	static struct claim claim;
	struct facts facts;
	uint32_t noise = 1;
	struct verdict v;

	for (uint64_t i = 0; i < image.size; i++) {
		noise = noise * 1664525u + 1013904223u;
		if (!reads[i])
			image.bytes[i] = complement ? (uint8_t)~image.original[i] :
						      (uint8_t)(noise >> 24);
	}
	v = make_claim(&claim, &violation);
	if (is_accepted(v))
		v = judge_claim(&claim, &facts);
	if (!is_accepted(v) || violation || difference(&facts, &original))
		die("reads of the image were missed",
		    "the short cut for unread bytes would be wrong");
	memcpy(image.bytes, image.original, image.size);
}

/* ---- reporting ----------------------------------------------------------------------------- */

static void add_tally(struct tally *sum, const struct tally *tally)
{
	sum->flips += tally->flips;
	sum->refused += tally->refused;
	sum->identical += tally->identical;
	sum->unread += tally->unread;
	sum->violations += tally->violations;
	for (uint32_t i = 0; i < REASONS_MAX; i++)
		sum->reasons[i] += tally->reasons[i];
}

#define ROW "  %-36s %9llu %9llu %9llu %9llu %6llu\n"

static void print_row(const char *name, const struct tally *t)
{
	printf(ROW, name, (unsigned long long)t->flips, (unsigned long long)t->refused,
	       (unsigned long long)t->identical, (unsigned long long)t->unread,
	       (unsigned long long)t->violations);
}

static void print_reasons(const struct tally *t)
{
	for (uint32_t i = 0; i < REASONS_MAX; i++)
		if (t->reasons[i] && i != REASON_ACCEPTED)
			printf("    %-34s %19llu\n", reason_name((enum reason)i),
			       (unsigned long long)t->reasons[i]);
}

static void print_offenders(const struct results *results)
{
	for (uint32_t i = 0; i < results->offender_count; i++) {
		const struct offender *o = &results->offenders[i];

		printf("  violation: byte %llu, bit %u (%s + %llu): accepted, but %s\n",
		       (unsigned long long)o->byte, o->bit, regions[o->region].name,
		       (unsigned long long)(o->byte - regions[o->region].extent.offset), o->what);
	}
}

static uint64_t report(const char *path, const struct shared *shared, uint32_t workers)
{
	struct tally total = { 0 };

	printf("%s: %llu bytes, sectors of %u, %llu data blocks\n", basename(path),
	       (unsigned long long)image.size, original_claim.sector_size,
	       (unsigned long long)original.verity.data_blocks);
	printf("  %-36s %9s %9s %9s %9s %6s\n", "region", "flips", "refused", "same", "not read",
	       "wrong");
	for (uint32_t region = 0; region < region_count; region++) {
		struct tally sum = { 0 };

		for (uint32_t w = 0; w < workers; w++)
			add_tally(&sum, &shared->results[w].tallies[region]);
		if (sum.flips == 0)
			continue;
		print_row(regions[region].name, &sum);
		print_reasons(&sum);
		add_tally(&total, &sum);
	}
	print_row("all", &total);
	for (uint32_t w = 0; w < workers; w++)
		print_offenders(&shared->results[w]);
	if (total.flips == 0 || (!only && total.flips != 8 * image.size))
		die(path, "not every bit was flipped");
	return total.violations;
}

/* ---- main ---------------------------------------------------------------------------------- */

static uint8_t *load(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0)
		die(path, "can't be opened, or is empty");
	*size = (uint64_t)st.st_size;
	bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		die(path, strerror(errno));
	close(fd);
	return bytes;
}

static void add_certificate(const char *path)
{
	uint64_t size;
	uint8_t *bytes = load(path, &size);
	struct verdict v;

	demands = policy_default_demands();
	anchors_init(&anchors);
	v = anchors_add(&anchors, bytes, size, ANCHOR_ARGUMENT);
	if (!is_accepted(v))
		die(path, reason_sentence(v.reason));
}

static void run_workers(struct shared *shared, uint32_t workers)
{
	for (uint32_t w = 0; w < workers; w++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", strerror(errno));
		if (pid == 0)
			work(shared, &shared->results[w]);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (uint32_t w = 0; w < workers; w++)
		if (!shared->results[w].is_complete)
			die("a worker", "crashed, or left a bit flipped");
}

static uint32_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > (long)WORKERS_MAX ? WORKERS_MAX : (uint32_t)n;
}

static _Noreturn void usage(void)
{
	fputs("Usage: flip [--judge-all] [--region NAME] [--first-block] [--alter-original] IMAGE CERTIFICATE\n"
	      "\n"
	      "  --judge-all       judge also flips of bytes that nothing reads (takes hours)\n"
	      "  --region NAME     only the regions of the table whose names start so\n"
	      "  --first-block     judge as at boot, where the kernel judges all but the first block\n"
	      "  --alter-original  compare with facts that are not the image's, to see that it is noticed\n"
	      "\n"
	      "Exit status: 0 no violation, 1 violations, 2 usage, 3 it could not be found out\n",
	      stderr);
	exit(EXIT_USAGE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "judge-all", no_argument, NULL, 'j' },
		{ "region", required_argument, NULL, 'r' },
		{ "first-block", no_argument, NULL, 'f' },
		{ "alter-original", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t workers = processors();
	bool alter = false;
	struct shared *shared;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			judge_all = true;
		else if (option == 'r')
			only = optarg;
		else if (option == 'f')
			depth = JUDGE_FIRST_BLOCK;
		else if (option == 'a')
			alter = true;
		else
			usage();
	}
	if (argc - optind != 2)
		usage();
	image.original = load(argv[optind], &image.size);
	add_certificate(argv[optind + 1]);
	make_private();
	judge_original();
	check_notes(true);
	check_notes(false);
	add_regions();
	if (alter)
		original.verity.data_blocks++;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("memory", strerror(errno));
	fflush(NULL);
	run_workers(shared, workers);
	return report(argv[optind], shared, workers) == 0 ? EXIT_GOOD : EXIT_VIOLATED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vext inspect: an image drawn, with what is claimed told apart from what is known. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "core/filesystem.h"
#include "core/layout.h"
#include "core/verity.h"
#include "judging.h"

#define ESCAPED_MAX (4 * 256u)

static void put_escaped(const char *untrusted)
{
	char buffer[ESCAPED_MAX];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	text_escaped(&text, untrusted, strlen(untrusted));
	fputs(buffer, stdout);
}

static void put_hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

static void format_uuid(const uint8_t uuid[16], char text[37])
{
	char *to = text;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		to += sprintf(to, "%02x", uuid[i]);
	}
}

/* systemd's designator where vext knows the type, the type UUID otherwise. */
static void describe_type(const uint8_t uuid[16], char text[48])
{
	const struct partition_type *type = partition_type(uuid);

	if (!type)
		format_uuid(uuid, text);
	else if (type->kind == KIND_OTHER)
		snprintf(text, 48, "%s", designator_name(type->designator));
	else
		snprintf(text, 48, "%s-%s", designator_name(type->designator),
			 type->arch == ARCH_X86_64 ? "x86-64" : "arm64");
}

/* ---- as text ------------------------------------------------------------------------------- */

static void draw_table(const struct claim *claim)
{
	printf("partition table: GPT, %" PRIu32 "-byte sectors\n", claim->sector_size);
	for (uint32_t i = 0; i < claim->partition_count; i++) {
		const struct partition *p = &claim->partitions[i];
		char type[48], uuid[37];

		describe_type(p->type, type);
		format_uuid(p->uuid, uuid);
		printf("  %-22s %12" PRIu64 " + %-12" PRIu64 " %s  ", type, p->extent.offset,
		       p->extent.size, uuid);
		put_escaped(p->name);
		putchar('\n');
	}
}

static void draw_envelope(const struct claim *claim)
{
	printf(claim_is_signed(claim) ? "claimed root hash: " :
					"root hash by the partitions' UUIDs: ");
	put_hex(claim->root_hash, sizeof(claim->root_hash));
	if (claim->has_fingerprint) {
		printf("\nclaimed signer's fingerprint: ");
		put_hex(claim->fingerprint, sizeof(claim->fingerprint));
	}
	if (claim_is_signed(claim))
		printf("\nsignature: %" PRIu32 " bytes of PKCS#7\n", claim->signature_size);
	else
		printf("\nsignature: none\n");
}

static void draw_verity(const struct claim *claim)
{
	const struct verity *verity = &claim->verity;
	struct verity_tree tree;

	printf("verity: %" PRIu64 " data blocks of %u bytes, sha256, salt ", verity->data_blocks,
	       VEXT_BLOCK);
	if (verity->salt_size == 0)
		putchar('-');
	put_hex(verity->salt, verity->salt_size);
	if (verity_tree(verity->data_blocks, &tree))
		printf(", %" PRIu32 " levels in %" PRIu64 " blocks", tree.levels,
		       tree.end - VERITY_TREE_START);
	putchar('\n');
}

static void draw_facts(const struct facts *facts)
{
	printf("file system: %s, %" PRIu64 " bytes\n", filesystem_name(facts->filesystem),
	       facts->filesystem_size);
	if (!facts->is_signed)
		return;
	printf("signer: ");
	put_escaped(facts->signer.subject);
	printf(" (%s)\nsigner's fingerprint: ", anchor_source_name(facts->signer.source));
	put_hex(facts->signer.fingerprint, sizeof(facts->signer.fingerprint));
	putchar('\n');
}

static void draw(const struct subject *subject)
{
	const struct claim *claim = &subject->claim;

	printf("image: %s, %" PRIu64 " bytes\n", subject->image.name, subject->image.size);
	if (claim->stage >= CLAIM_TABLE)
		draw_table(claim);
	if (claim->stage >= CLAIM_ENVELOPE)
		draw_envelope(claim);
	if (claim->stage >= CLAIM_COMPLETE)
		draw_verity(claim);
	if (subject->assessment.trusted)
		draw_facts(trusted_facts(subject->assessment.trusted));
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static void partitions_json(const struct claim *claim, struct json *json)
{
	json_u64(json, "sectorSize", claim->sector_size);
	json_open(json, "partitions", '[');
	for (uint32_t i = 0; i < claim->partition_count; i++) {
		const struct partition *p = &claim->partitions[i];
		char type[48], uuid[37];

		describe_type(p->type, type);
		format_uuid(p->uuid, uuid);
		json_open(json, NULL, '{');
		json_string(json, "type", type);
		json_string(json, "uuid", uuid);
		json_string(json, "name", p->name);
		json_u64(json, "offset", p->extent.offset);
		json_u64(json, "size", p->extent.size);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void claim_json(const struct subject *subject, struct json *json)
{
	const struct claim *claim = &subject->claim;

	json_u64(json, "size", subject->image.size);
	if (claim->stage >= CLAIM_TABLE)
		partitions_json(claim, json);
	if (claim->stage >= CLAIM_ENVELOPE) {
		if (claim->has_fingerprint)
			json_hex(json, "claimedFingerprint", claim->fingerprint,
				 sizeof(claim->fingerprint));
		json_u64(json, "signatureSize", claim->signature_size);
	}
	if (claim->stage >= CLAIM_COMPLETE) {
		json_u64(json, "dataBlocks", claim->verity.data_blocks);
		json_hex(json, "salt", claim->verity.salt, claim->verity.salt_size);
	}
	if (subject->assessment.trusted) {
		const struct facts *facts = trusted_facts(subject->assessment.trusted);

		json_string(json, "filesystem", filesystem_name(facts->filesystem));
		json_u64(json, "filesystemSize", facts->filesystem_size);
	}
}

/* ---- the command --------------------------------------------------------------------------- */

static void print_json(const struct subject *subject)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", 1);
	if (subject->image.size > 0)
		claim_json(subject, &json);
	json_open(&json, "images", '[');
	report_json(&subject->report, &json);
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

static void print_text(const struct subject *subject)
{
	char line[REPORT_LINE_MAX];

	if (subject->image.size > 0)
		draw(subject);
	report_line(&subject->report, line);
	printf("verdict: %s\n", line);
}

static enum exit_status inspect(struct judging *judging, const char *path)
{
	static struct subject subject;
	enum exit_status status;

	subject_open(&subject, judging, path);
	if (judging->json)
		print_json(&subject);
	else
		print_text(&subject);
	status = report_status(subject.report.verdict);
	subject_close(&subject);
	return status;
}

enum exit_status command_inspect(int argc, char **argv)
{
	static struct judging judging;
	enum exit_status status = judging_begin(&judging, argc, argv);

	if (status == EXIT_USAGE || (status == EXIT_GOOD && optind != argc - 1))
		status = usage_error(argv[0]);
	else if (status == EXIT_GOOD)
		status = inspect(&judging, argv[optind]);
	judging_end(&judging);
	return status;
}

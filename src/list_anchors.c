/* SPDX-License-Identifier: Apache-2.0 */
/* vext anchors: whom this binary trusts. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "configuration.h"
#include "crypto/anchors.h"
#include "crypto/section.h"
#include "log.h"
#include "options.h"
#include "trust.h"

static void put_hex(const uint8_t hash[VEXT_HASH_SIZE])
{
	for (size_t i = 0; i < VEXT_HASH_SIZE; i++)
		printf("%02x", hash[i]);
}

/* ---- scope --------------------------------------------------------------------------------- */

/* The records of one kind in an anchor's scope, as text; they are not NUL-terminated. */
static bool next_of(struct section *scope, uint32_t tag, char text[256])
{
	struct section_record record;
	struct text t;

	while (section_next(scope, &record)) {
		if (record.tag != tag)
			continue;
		text_init(&t, text, 256);
		text_bytes(&t, (const char *)record.body.at, record.body.left);
		return true;
	}
	return false;
}

static void put_scope(const struct anchor *anchor, uint32_t tag, const char *before)
{
	struct section scope = { .records = anchor->scope, .start = anchor->scope.at };
	char text[256], escaped[4 * 256];
	struct text t;

	while (next_of(&scope, tag, text)) {
		text_init(&t, escaped, sizeof(escaped));
		text_escaped(&t, text, strlen(text));
		printf("%s%s", before, escaped);
		before = ",";
	}
}

static void scope_json(struct json *json, const char *key, const struct anchor *anchor,
		       uint32_t tag)
{
	struct section scope = { .records = anchor->scope, .start = anchor->scope.at };
	char text[256];

	json_open(json, key, '[');
	while (next_of(&scope, tag, text))
		json_string(json, NULL, text);
	json_close(json, ']');
}

/* ---- as text ------------------------------------------------------------------------------- */

static void print_anchor(const struct anchors *anchors, const struct anchor *anchor)
{
	char key[16], escaped[4 * sizeof(anchor->signer.subject)];
	struct text text;

	anchor_key_type(anchor, key);
	text_init(&text, escaped, sizeof(escaped));
	text_escaped(&text, anchor->signer.subject, strlen(anchor->signer.subject));
	put_hex(anchor->signer.fingerprint);
	printf("  %s  %s  %s", key, anchor_source_name(anchor->signer.source), escaped);
	put_scope(anchor, SECTION_NAME, "  for ");
	put_scope(anchor, SECTION_FROM, "  from ");
	if (!anchor_may_sign(anchor))
		printf("  (issues only)");
	else if (anchor_may_issue(anchor))
		printf("  (issues too)");
	puts(anchor_is_revoked(anchors, anchor) ? "  REVOKED" : "");
}

static const char *kind_name(enum revoked_kind kind)
{
	return kind == REVOKED_CERTIFICATE ? "certificate" : "image";
}

static void print_text(const struct anchors *anchors)
{
	for (uint32_t i = 0; i < anchors->count; i++)
		print_anchor(anchors, &anchors->list[i]);
	for (uint32_t i = 0; i < anchors->revoked.count; i++) {
		const struct revocation *revocation = &anchors->revoked.list[i];

		printf("revoked %s  ", kind_name(revocation->kind));
		put_hex(revocation->hash);
		printf("  %s\n", anchor_source_name(revocation->source));
	}
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static void anchor_json(const struct anchors *anchors, const struct anchor *anchor,
			struct json *json)
{
	const struct signer *signer = &anchor->signer;
	char key[16];

	anchor_key_type(anchor, key);
	json_open(json, NULL, '{');
	json_hex(json, "fingerprint", signer->fingerprint, sizeof(signer->fingerprint));
	json_string(json, "subject", signer->subject);
	json_string(json, "key", key);
	json_string(json, "source", anchor_source_name(signer->source));
	json_bool(json, "signs", anchor_may_sign(anchor));
	json_bool(json, "issues", anchor_may_issue(anchor));
	json_bool(json, "test", anchor_is_test(anchor));
	json_bool(json, "revoked", anchor_is_revoked(anchors, anchor));
	if (anchor->issuer)
		json_hex(json, "issuer", anchor->issuer->signer.fingerprint, VEXT_HASH_SIZE);
	else
		json_null(json, "issuer");
	scope_json(json, "names", anchor, SECTION_NAME);
	scope_json(json, "directories", anchor, SECTION_FROM);
	json_close(json, '}');
}

static void print_json(const struct anchors *anchors)
{
	struct json json = { .to = stdout };

	json_open(&json, NULL, '{');
	json_u64(&json, "version", 1);
	json_bool(&json, "release", anchors->is_release);
	json_string(&json, "denied",
		    is_accepted(anchors->denied) ? NULL : reason_name(anchors->denied.reason));
	json_open(&json, "anchors", '[');
	for (uint32_t i = 0; i < anchors->count; i++)
		anchor_json(anchors, &anchors->list[i], &json);
	json_close(&json, ']');
	json_open(&json, "revoked", '[');
	for (uint32_t i = 0; i < anchors->revoked.count; i++) {
		const struct revocation *revocation = &anchors->revoked.list[i];

		json_open(&json, NULL, '{');
		json_string(&json, "kind", kind_name(revocation->kind));
		json_hex(&json, "hash", revocation->hash, sizeof(revocation->hash));
		json_string(&json, "source", anchor_source_name(revocation->source));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

/* ---- the command --------------------------------------------------------------------------- */

/* What nobody could pass is said, whatever was asked; what is wrong with a configuration has been. */
static enum exit_status tell_state(const struct anchors *anchors, const struct config *config)
{
	if (!is_accepted(anchors->denied)) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", reason_name(anchors->denied.reason),
			 reason_sentence(anchors->denied.reason));
		return EXIT_REFUSED;
	}
	if (anchors->count == 0)
		log_line(LOG_LEVEL_WARNING, "%s", reason_sentence(REASON_SIGNATURE_NO_ANCHORS));
	return is_accepted(config->denied) ? EXIT_GOOD : EXIT_REFUSED;
}

enum exit_status command_anchors(int argc, char **argv)
{
	static struct anchors anchors;
	static struct config config;
	enum exit_status status;
	struct show_options options = { .root = NULL };

	if (!show_options_parse(argc, argv, &options))
		return usage_error(argv[0]);
	anchors_init(&anchors);
	configuration_load_baked(&config);
	if (report_status(trust_load_baked(&anchors)) == EXIT_SYSTEM ||
	    (options.root &&
	     trust_load_root_at(&anchors, options.root, config.user_certificates) != EXIT_GOOD)) {
		anchors_free(&anchors);
		return EXIT_SYSTEM;
	}
	if (options.json)
		print_json(&anchors);
	else
		print_text(&anchors);
	status = tell_state(&anchors, &config);
	anchors_free(&anchors);
	return status;
}

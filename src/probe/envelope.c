/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature partition: one JSON object, then NULs.
 * Format: UAPI Group, Discoverable Partitions Specification, "Verity signature partitions".
 */
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "core/base64.h"
#include "core/cursor.h"
#include "core/hex.h"
#include "probe/parse.h"

#define MEMBERS_MAX 64u
#define GROUPS_MAX (VEXT_PKCS7_MAX / 3 + 1) /* of four characters, for three bytes */

struct members {
	yyjson_val *root_hash;
	yyjson_val *signature;
	yyjson_val *fingerprint; /* NULL when absent */
};

static bool is_key(yyjson_val *key, const char *name)
{
	return yyjson_equals_str(key, name);
}

static bool is_repeated(yyjson_val *const keys[], size_t count, yyjson_val *key)
{
	for (size_t i = 0; i < count; i++)
		if (yyjson_equals_strn(keys[i], yyjson_get_str(key), yyjson_get_len(key)))
			return true;
	return false;
}

static struct verdict collect_members(yyjson_val *object, struct members *members)
{
	yyjson_val *keys[MEMBERS_MAX], *key;
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	size_t count = 0;

	while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
		if (count == MEMBERS_MAX)
			return verdict(REASON_ENVELOPE_MEMBERS);
		if (is_repeated(keys, count, key))
			return verdict(REASON_ENVELOPE_DUPLICATE);
		keys[count++] = key;
		if (is_key(key, "rootHash"))
			members->root_hash = yyjson_obj_iter_get_val(key);
		else if (is_key(key, "signature"))
			members->signature = yyjson_obj_iter_get_val(key);
		else if (is_key(key, "certificateFingerprint"))
			members->fingerprint = yyjson_obj_iter_get_val(key);
	}
	if (!members->root_hash || !members->signature)
		return verdict(REASON_ENVELOPE_MISSING);
	if (!yyjson_is_str(members->root_hash) || !yyjson_is_str(members->signature) ||
	    (members->fingerprint && !yyjson_is_str(members->fingerprint)))
		return verdict(REASON_ENVELOPE_TYPE);
	return verdict(REASON_ACCEPTED);
}

static bool is_hash(yyjson_val *string, uint8_t hash[VEXT_HASH_SIZE])
{
	return hex_decode(yyjson_get_str(string), yyjson_get_len(string), hash, VEXT_HASH_SIZE);
}

static struct verdict decode_signature(yyjson_val *string, struct claim *claim)
{
	const struct cursor text = cursor_over(yyjson_get_str(string), yyjson_get_len(string));
	static uint8_t bytes[3 * GROUPS_MAX]; /* too large for the stack */
	size_t size;

	if (text.left == 0)
		return verdict(REASON_ENVELOPE_EMPTY);
	if (text.left > 4 * GROUPS_MAX)
		return verdict(REASON_ENVELOPE_SIZE);
	if (!base64_decode(text, "", bytes, sizeof(bytes), &size))
		return verdict(REASON_ENVELOPE_BASE64);
	if (size > sizeof(claim->signature))
		return verdict(REASON_ENVELOPE_SIZE);
	memcpy(claim->signature, bytes, size);
	claim->signature_size = (uint32_t)size;
	return verdict(REASON_ACCEPTED);
}

static struct verdict parse_object(yyjson_val *object, struct claim *claim)
{
	struct members members = { 0 };
	struct verdict v;

	if (!yyjson_is_obj(object))
		return verdict(REASON_ENVELOPE_JSON);
	v = collect_members(object, &members);
	if (!is_accepted(v))
		return v;
	if (!is_hash(members.root_hash, claim->root_hash))
		return verdict(REASON_ENVELOPE_ROOT_HASH);
	if (members.fingerprint && !is_hash(members.fingerprint, claim->fingerprint))
		return verdict(REASON_ENVELOPE_FINGERPRINT);
	claim->has_fingerprint = members.fingerprint != NULL;
	return decode_signature(members.signature, claim);
}

struct verdict envelope_parse(const uint8_t *bytes, size_t size, struct claim *claim)
{
	const uint8_t *end = memchr(bytes, 0, size);
	size_t length = end ? (size_t)(end - bytes) : size;
	struct verdict v;
	yyjson_doc *doc;
	yyjson_read_err err;

	if (!cursor_is_zero(cursor_over(bytes + length, size - length)))
		return verdict_at(REASON_ENVELOPE_PADDING, length);
	/* Without YYJSON_READ_INSITU the text is copied, hence the cast is only for the type. */
	doc = yyjson_read_opts((char *)(uintptr_t)bytes, length, YYJSON_READ_NOFLAG, NULL, &err);
	if (!doc)
		return err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ?
			       verdict(REASON_SYSTEM_MEMORY) :
			       verdict_at(REASON_ENVELOPE_JSON, err.pos);
	v = parse_object(yyjson_doc_get_root(doc), claim);
	yyjson_doc_free(doc);
	return v;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "crypto/certificate.h"
#include "crypto/judge.h"
#include "log.h"
#include "sys/trustdir.h"

#define SUFFIX_CERTIFICATE ".crt"
#define SUFFIX_LIST ".revoked"
#define SUFFIX_SIGNATURE ".p7s"

struct verdict trust_load_baked(struct anchors *anchors)
{
	struct verdict v = anchors_add_baked(anchors);

	if (!is_accepted(v))
		log_line(LOG_LEVEL_ERROR, "baked certificates, at byte %llu: %s: %s",
			 (unsigned long long)v.at, reason_name(v.reason),
			 reason_sentence(v.reason));
	return v;
}

/* Is the path at fault, and not the system? */
static bool is_paths_fault(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EISDIR || error == EACCES ||
	       error == ELOOP || error == ENAMETOOLONG;
}

static enum exit_status unreadable(const char *path, int error)
{
	log_line(LOG_LEVEL_ERROR, "certificate %s: %s", path, strerror(error));
	return is_paths_fault(error) ? EXIT_USAGE : EXIT_SYSTEM;
}

enum exit_status trust_load_file(struct anchors *anchors, const char *path)
{
	static uint8_t bytes[CERTIFICATE_FILE_MAX];
	FILE *file = fopen(path, "re");
	struct verdict v;
	size_t size;
	int error;

	if (!file)
		return unreadable(path, errno);
	size = fread(bytes, 1, sizeof(bytes), file);
	error = ferror(file) ? errno : 0;
	fclose(file);
	if (error != 0)
		return unreadable(path, error);
	v = anchors_add(anchors, bytes, size, ANCHOR_ARGUMENT);
	if (is_accepted(v))
		return EXIT_GOOD;
	log_line(LOG_LEVEL_ERROR, "certificate %s: %s: %s", path, reason_name(v.reason),
		 reason_sentence(v.reason));
	return report_status(v) == EXIT_SYSTEM ? EXIT_SYSTEM : EXIT_USAGE;
}

/* ---- directories --------------------------------------------------------------------------- */

/* One directory of certificates and lists. */
struct place {
	const char *path; /* as it is told */
	struct anchors *anchors;
	struct trustdir *dir;
	enum anchor_source source; /* of its certificates */
	bool is_unverified;	   /* a /usr whose certificates do not count */
};

static void tell(const struct place *place, const char *name, struct verdict v)
{
	char escaped[4 * 255 + 1];
	struct text text;

	text_init(&text, escaped, sizeof(escaped));
	text_escaped(&text, name, strlen(name));
	log_line(LOG_LEVEL_WARNING, "passed over %s%s%s: %s: %s%s%s", place->path, *name ? "/" : "",
		 escaped, reason_name(v.reason), reason_sentence(v.reason), v.sys_errno ? ": " : "",
		 v.sys_errno ? strerror(v.sys_errno) : "");
}

static bool has_suffix(const char *name, const char *suffix)
{
	const size_t size = strlen(name), end = strlen(suffix);

	return size > end && strcmp(name + size - end, suffix) == 0;
}

static struct verdict load_certificate(struct place *place, const char *name)
{
	static uint8_t bytes[TRUSTDIR_FILE_MAX];
	size_t size;
	struct verdict v = trustdir_read(place->dir, name, bytes, &size);

	return is_accepted(v) ? anchors_add(place->anchors, bytes, size, place->source) : v;
}

static struct verdict read_signature(const struct place *place, const char *name,
				     uint8_t bytes[TRUSTDIR_FILE_MAX], size_t *size)
{
	char file[255 + sizeof(SUFFIX_SIGNATURE)];
	struct text text;
	struct verdict v;

	text_init(&text, file, sizeof(file));
	text_str(&text, name);
	text_str(&text, SUFFIX_SIGNATURE);
	v = trustdir_read(place->dir, file, bytes, size);
	return v.sys_errno == ENOENT ? verdict(REASON_LIST_UNSIGNED) : v;
}

/* In the verified /usr a list needs no signature of its own. */
static struct verdict load_list(struct place *place, const char *name)
{
	static uint8_t list[TRUSTDIR_FILE_MAX], signature[TRUSTDIR_FILE_MAX];
	size_t size, signature_size;
	struct verdict v = trustdir_read(place->dir, name, list, &size);

	if (is_accepted(v) && place->source == ANCHOR_USR)
		return revocations_read(&place->anchors->revoked, cursor_over(list, size),
					ANCHOR_USR);
	if (is_accepted(v))
		v = read_signature(place, name, signature, &signature_size);
	if (is_accepted(v))
		v = judge_revocations(place->anchors, list, size, signature, signature_size);
	return v;
}

/*
 * A list that was not taken. Whoever owns the disk can take his lists away, so a bad one of them is passed over;
 * but it may not be for want of memory that what is revoked counts.
 */
static void deny_for(struct place *place, struct verdict v)
{
	if (place->source == ANCHOR_USR && !place->is_unverified)
		anchors_deny(place->anchors, REASON_SIGNATURE_REVOCATIONS);
	else if (v.reason == REASON_SYSTEM_MEMORY)
		anchors_deny(place->anchors, REASON_SYSTEM_MEMORY);
}

static void load_files(struct place *place, const char *suffix,
		       struct verdict (*load)(struct place *place, const char *name))
{
	for (uint32_t i = 0; i < place->dir->count; i++) {
		const char *name = place->dir->files[i].name;
		struct verdict v;

		if (!has_suffix(name, suffix))
			continue;
		v = load(place, name);
		if (is_accepted(v))
			continue;
		tell(place, name, v);
		if (load == load_list)
			deny_for(place, v);
	}
}

/* What a list revokes is known before a certificate of the same place is looked at. */
static void load_place(struct place *place)
{
	load_files(place, SUFFIX_LIST, load_list);
	load_files(place, SUFFIX_CERTIFICATE, load_certificate);
	if (place->dir->left_out > 0)
		tell(place, "", verdict(REASON_ANCHOR_FILES));
}

static bool is_of_interest(const struct place *place)
{
	for (uint32_t i = 0; i < place->dir->count; i++)
		if (has_suffix(place->dir->files[i].name, SUFFIX_CERTIFICATE) ||
		    has_suffix(place->dir->files[i].name, SUFFIX_LIST))
			return true;
	return false;
}

static void load_unverified(struct place *place, struct verdict why)
{
	tell(place, "", why);
	place->is_unverified = true;
	load_files(place, SUFFIX_LIST, load_list);
}

/*
 * Of a /usr that is not verified only the lists count, for they only take away: a verified one is not to be seen
 * any more when an extension has been merged over it. What cannot be read in one that is verified may be a list, so
 * nobody knows what is revoked.
 */
static void load_usr(struct place *place)
{
	const struct verdict opened = place->dir->opened, verified = place->dir->verified;
	const bool may_count = is_accepted(verified) || verified.reason == REASON_UNDECIDED;

	if (is_accepted(verified) && is_accepted(opened))
		load_place(place);
	else if (may_count)
		tell(place, "", opened);
	else if (is_of_interest(place))
		load_unverified(place, verified);
	if (may_count && (!is_accepted(opened) || place->dir->left_out > 0))
		anchors_deny(place->anchors, REASON_SIGNATURE_REVOCATIONS);
}

static void load_writable(struct place *place)
{
	if (is_accepted(place->dir->opened)) {
		load_place(place);
	} else {
		tell(place, "", place->dir->opened);
		deny_for(place, place->dir->opened);
	}
}

/* `path` is what is told, and where it is below the root, or below /usr. */
static void load_directory(struct anchors *anchors, int root_fd, const char *path,
			   enum anchor_source source)
{
	static const char usr[] = "usr/";
	const bool is_usr = source == ANCHOR_USR;
	struct place place = { .path = path, .anchors = anchors, .source = source };

	place.dir = trustdir_load(root_fd, is_usr ? path + strlen(usr) : path, is_usr);
	if (place.dir == NULL) {
		tell(&place, "", verdict(REASON_SYSTEM_MEMORY));
		anchors_deny(anchors, REASON_SYSTEM_MEMORY);
		return;
	}
	if (is_usr)
		load_usr(&place);
	else
		load_writable(&place);
	trustdir_free(place.dir);
}

enum exit_status trust_load_root_at(struct anchors *anchors, const char *root,
				    bool user_certificates)
{
	const int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root_fd < 0) {
		const int error = errno;

		log_line(LOG_LEVEL_ERROR, "%s: %s", root, strerror(error));
		return is_paths_fault(error) ? EXIT_USAGE : EXIT_SYSTEM;
	}
	trust_load_root(anchors, root_fd, user_certificates);
	(void)close(root_fd);
	return EXIT_GOOD;
}

void trust_load_root(struct anchors *anchors, int root_fd, bool user_certificates)
{
	const enum anchor_source source = user_certificates ? ANCHOR_USER : ANCHOR_ISSUED;

	load_directory(anchors, root_fd, "usr/lib/verity.d", ANCHOR_USR);
	load_directory(anchors, root_fd, "etc/verity.d", source);
	load_directory(anchors, root_fd, "run/verity.d", source);
}

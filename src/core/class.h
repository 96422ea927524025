/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of extensions, one entry of a table each: system extensions, which go over /usr and /opt, and
 * configuration extensions, which go over /etc. All that differs between them stands here, with the names
 * that systemd-sysext and systemd-confext of systemd 257 use (src/sysext/sysext.c, image_class_info).
 */
#ifndef VEXT_CORE_CLASS_H
#define VEXT_CORE_CLASS_H

#include "vext.h"

enum extension_class {
	CLASS_SYSEXT,
	CLASS_CONFEXT,
	CLASS_UNKNOWN, /* of an image that was found nowhere in particular; not in the table */
};

#define CLASSES 2u
#define CLASSES_ALL ((1u << CLASSES) - 1) /* a set of classes has the bits 1u << class */

struct class_traits {
	const char *name;   /* "sysext": of messages, of NAME.sysext.raw, of the overlay's source */
	const char *plural; /* "extensions": of search paths, and of the list in `mark` */
	const char
		*mark; /* the directory in a merged hierarchy that says so, with the list in it */
	const char *releases; /* the directory that has extension-release.NAME */
	const char
		*device; /* before NAME, of the device; of 5 bytes each, and none starts another */
	const char *level_key;	  /* of os-release and extension-release */
	const char *scope_key;	  /* of extension-release */
	bool is_without_programs; /* merged nosuid and noexec */
};

/* Not for CLASS_UNKNOWN. */
const struct class_traits *class_traits(enum extension_class class);

/* The class of this name, "sysext" or "confext"; CLASS_UNKNOWN if there is none. */
enum extension_class class_named(const char *name, size_t size);

/* What is laid over the root, each by the extensions of one class. */
enum hierarchy {
	HIERARCHY_USR,
	HIERARCHY_OPT,
	HIERARCHY_ETC,
};

#define HIERARCHIES 3u

/* "usr", "opt", "etc": relative, to be resolved below a directory fd. */
const char *hierarchy_name(enum hierarchy hierarchy);
enum extension_class hierarchy_class(enum hierarchy hierarchy);

/* The hierarchies (bits of enum hierarchy) of classes (bits of enum extension_class). */
uint32_t hierarchies_of(uint32_t classes);

/*
 * The class of what is found in a directory, by the last part of its path: confexts for "confexts" and
 * "confext" (/run/confexts, /.extra/confext, /.extra/global_confext), sysexts for any other.
 */
enum extension_class class_of_directory(const char *path);

#endif

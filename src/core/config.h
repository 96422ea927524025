/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: what may be merged, what must be, and what happens when that is not there.
 *
 * It is put together from several sources, the first of which sets it and the others of which can only
 * tighten it: what is baked into the binary, or else the built-in configuration; then /etc/vext.conf; then the
 * kernel command line. Each key has an order of strictness of its own:
 *
 *	policy             what every source allows, flag by flag
 *	filesystems        only what every source names
 *	required           what any source names
 *	optional           where it is given, nothing is merged but what it names, and what this source or one
 *	                   before it requires
 *	on-failure         continue < emergency < poweroff: the strictest
 *	corruption         io-error < restart < panic
 *	kernel-signature   off < auto < require
 *	paths              only what every source names; in the order of the first one, since that is what
 *	                   decides between two images of one name
 *	user-certificates  yes only where every source that has the key, and the first one, says so
 *	foreign-merge      replace < emergency < poweroff: the strictest
 *	classes            in what is baked alone; a source that is not and has it is malformed
 *
 * A list (required, optional, filesystems, paths, classes) may stand several times in a source and is then the longer; any
 * other key that stands twice is malformed. A source that is malformed takes everything back: nothing is merged.
 *
 * In required and optional NAME, or sysext:NAME, is the sysext of that name and no confext; that is
 * confext:NAME.
 *
 * On the kernel command line systemd's own switches of a class, systemd.sysext=0 and systemd.confext=0, count as well.
 */
#ifndef VEXT_CORE_CONFIG_H
#define VEXT_CORE_CONFIG_H

#include "core/class.h"
#include "core/policy.h"
#include "core/text.h"
#include "vext.h"

#define CONFIG_SIZE_MAX 16384u /* bytes of one source */
#define CONFIG_NAMES_MAX 128u  /* extensions that are required, or that are allowed */
#define CONFIG_PATHS_MAX 16u
#define CONFIG_PATH_MAX 128u			  /* bytes with NUL */
#define CONFIG_NAME_TEXT_MAX (VEXT_NAME_MAX + 9u) /* bytes of "confext:NAME" with NUL */
#define CONFIG_DESCRIBED_MAX 28672u
#define CONFIG_UNKNOWN_MAX 8u /* unknown keys that are told one by one */

enum config_key {
	CONFIG_POLICY,
	CONFIG_REQUIRED,
	CONFIG_OPTIONAL,
	CONFIG_ON_FAILURE,
	CONFIG_CORRUPTION,
	CONFIG_KERNEL_SIGNATURE,
	CONFIG_FILESYSTEMS,
	CONFIG_PATHS,
	CONFIG_USER_CERTIFICATES,
	CONFIG_FOREIGN_MERGE,
	CONFIG_CLASSES,
	CONFIG_OFF, /* "vext=off" */
};

#define CONFIG_KEYS 12u

/* "policy", "required" … */
const char *config_key_name(enum config_key key);

/* What happens when a required extension is not merged. */
enum on_failure {
	ON_FAILURE_CONTINUE = 1,
	ON_FAILURE_EMERGENCY,
	ON_FAILURE_POWEROFF,
};

/* "continue" … */
const char *on_failure_name(enum on_failure on_failure);

/* What happens at boot when somebody else has merged extensions of a class that is vext's. */
enum foreign_merge {
	FOREIGN_MERGE_REPLACE = 1, /* taken off, and vext merges by its own trust */
	FOREIGN_MERGE_EMERGENCY,
	FOREIGN_MERGE_POWEROFF,
};

/* "replace" … */
const char *foreign_merge_name(enum foreign_merge foreign_merge);

/* An extension, as required and optional have it. */
struct config_name {
	enum extension_class class; /* never CLASS_UNKNOWN */
	char name[VEXT_NAME_MAX + 1];
};

struct config_names {
	uint32_t count;
	struct config_name list[CONFIG_NAMES_MAX];
};

/* About 24 KB: not for the stack. */
struct config {
	uint32_t
		stated; /* 1 << enum config_key: the keys that a source has; of the others nothing is said */
	struct demands demands; /* policy and filesystems */
	struct config_names required;
	bool is_limited;	     /* only what is in `allowed` may be merged */
	struct config_names allowed; /* of one source: `optional` */
	enum on_failure on_failure;
	enum corruption corruption;
	enum kernel_signature kernel_signature;
	uint32_t paths;
	char path[CONFIG_PATHS_MAX][CONFIG_PATH_MAX]; /* absolute, without . and .. */
	bool user_certificates;
	enum foreign_merge foreign_merge;
	uint32_t classes;      /* 1u << enum extension_class: those that are vext's; never none */
	uint32_t killed;       /* of these, those that are switched off: they merge nothing */
	bool off;	       /* merge nothing */
	struct verdict denied; /* accepted, or why every image is refused */
};

/* What there is to tell of a source besides; pointers into it. */
struct config_notes {
	bool is_baked; /* the source may have the keys that others may not */
	bool has_key;  /* with a verdict: it is about this key */
	enum config_key key;
	uint32_t unknown; /* keys that were ignored */
	struct {
		const char *bytes;
		size_t size;
	} unknown_keys[CONFIG_UNKNOWN_MAX]; /* the first of them; untrusted */
};

/*
 * Reads lines KEY = VALUE; lines that are empty or start with # are comments. "_" in a key is as good as "-".
 * `notes` and `asked` are written always; without success `asked` is for config_deny_asked() only, and has what
 * the other lines say. policy.line, .value, .twice, .limit, .baked-only and the reasons of policy_parse(), of the first
 * line that is refused; `at` a byte of the source.
 */
struct verdict config_parse(const char *bytes, size_t size, struct config *asked,
			    struct config_notes *notes);

/* The same for what is baked, which may have every key. */
struct verdict config_parse_baked(const char *bytes, size_t size, struct config *asked,
				  struct config_notes *notes);

/*
 * Reads the words vext.KEY=VALUE and vext=off (or on) of a kernel command line; a word may have a double-quoted
 * value with blanks, as the kernel has it. Otherwise as config_parse(). A word systemd.CLASS=VALUE kills the class if
 * systemd reads VALUE as false (0, no, n, false, f, off; in any case), whatever further words of it say; any other VALUE
 * says nothing.
 */
struct verdict config_parse_command_line(const char *bytes, size_t size, struct config *asked,
					 struct config_notes *notes);

/* What applies where nothing is said. */
void config_built_in(struct config *config);

/* Is the extension of this class and name required? */
bool config_requires(const struct config *config, enum extension_class class, const char *name);

/* "NAME" for a sysext, "confext:NAME": what a configuration calls it by. */
void config_name_text(const struct config_name *name, char text[CONFIG_NAME_TEXT_MAX]);

/*
 * Puts what is asked for in place of what is built in. False when there are too many names: config_deny(); all classes
 * are vext's then.
 */
bool config_set(struct config *config, const struct config *asked);

/*
 * Tightens by what is asked for. `weaker` gets a bit for each key that asked for something that isn't allowed
 * already, and so was not followed, or not wholly. False as with config_set().
 */
bool config_tighten(struct config *config, const struct config *asked, uint32_t *weaker);

/* From here on every image is refused for this reason, or the one of the first call, whatever else is asked for. */
void config_deny(struct config *config, enum reason reason);

/*
 * The same, for a source that was refused: what it requires is required all the same, what it wants done on a
 * failure or about a foreign merge is, if that is stricter, and what it kills is killed.
 */
void config_deny_asked(struct config *config, enum reason reason, const struct config *asked);

/* Is this class vext's? Nobody may take one away but the builder, so that also holds when every image is refused. */
bool config_has_class(const struct config *config, enum extension_class class);

/* Those whose images vext looks for: its own, and not killed. */
uint32_t config_live_classes(const struct config *config);

/*
 * May an extension of this class and name be merged? Why config_deny() was called, or
 * policy.unlisted. With CLASS_UNKNOWN: may one of any class?
 */
struct verdict config_check(const struct config *config, enum extension_class class,
			    const char *name);

/*
 * The configuration as one line, "policy root=signed+absent usr=signed+absent, required a b, …"; what is
 * as it is built in, but for policy and paths, is left out. At most CONFIG_DESCRIBED_MAX bytes with NUL.
 */
void config_describe(const struct config *config, struct text *text);

#endif

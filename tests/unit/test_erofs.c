/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/erofs: fields where Linux fs/erofs/erofs_fs.h has them, and trees read back by a reader of its own. Whether
 * erofs-utils think so too is what tests/erofs asks.
 */
#include "core/erofs.h"

#include <stdio.h>

#include "core/filesystem.h"
#include "test.h"

#define SUPER 1024u
#define MANY 100000u

struct image {
	uint8_t *bytes;
	uint64_t size;
};

static uint64_t get_le(const uint8_t *from, size_t size)
{
	uint64_t sum = 0;

	for (size_t i = size; i > 0; i--)
		sum = sum << 8 | from[i - 1];
	return sum;
}

/* In a buffer of just that size. */
static struct image make(struct erofs_directory all[], size_t count)
{
	struct image image = { .size = erofs_layout(all, count) };

	assert_int_not_equal(image.size, 0);
	assert_int_equal(image.size % 4096, 0);
	image.bytes = calloc(1, image.size);
	assert_non_null(image.bytes);
	erofs_write(all, count, image.bytes, image.size);
	return image;
}

static struct erofs_directory directory(const char *name, uint32_t parent)
{
	return (struct erofs_directory){ .name = name, .parent = parent, .mode = 0755 };
}

/* ---- a reader ------------------------------------------------------------------------------ */

static const uint8_t *inode_at(const struct image *image, uint64_t number)
{
	assert_true(number * 32 <= image->size - 64);
	assert_true(number * 32 % 4096 <= 4096 - 64);
	return image->bytes + number * 32;
}

static size_t xattrs_of(const uint8_t *inode)
{
	const size_t count = get_le(inode + 2, 2);

	return count == 0 ? 0 : 12 + (count - 1) * 4;
}

static uint64_t entries_of(const struct image *image, const uint8_t *inode)
{
	const uint64_t format = get_le(inode, 2);
	const uint64_t at = (uint64_t)(inode - image->bytes);

	assert_true(format == 1 || format == 5);
	if (format == 5) {
		assert_int_equal(get_le(inode + 16, 4), UINT32_MAX);
		assert_true(at % 4096 + 64 + xattrs_of(inode) + get_le(inode + 8, 8) <= 4096);
		return at + 64 + xattrs_of(inode);
	}
	return get_le(inode + 16, 4) * 4096;
}

/* By the number that an inode has for those who want one of 32 bits, an entry is told from the others. */
static uint32_t place_of(const struct image *image, uint64_t number)
{
	return (uint32_t)get_le(inode_at(image, number) + 20, 4) - 1;
}

struct seen {
	const struct image *image;
	const struct erofs_directory *all;
	size_t count;
	char last[256];
	bool dot, dot_dot;
	uint32_t children;
};

static void see(struct seen *seen, uint32_t self, const uint8_t *dirent, const char *name,
		size_t length)
{
	const uint32_t target = place_of(seen->image, get_le(dirent, 8));

	assert_true(length > 0 && length <= 255);
	assert_int_equal(dirent[10], 2);
	assert_int_equal(dirent[11], 0);
	assert_true(target < seen->count);
	if (length == 1 && name[0] == '.') {
		assert_int_equal(target, self);
		seen->dot = true;
	} else if (length == 2 && memcmp(name, "..", 2) == 0) {
		assert_int_equal(target, seen->all[self].parent);
		seen->dot_dot = true;
	} else {
		assert_int_equal(seen->all[target].parent, self);
		assert_int_equal(strlen(seen->all[target].name), length);
		assert_memory_equal(seen->all[target].name, name, length);
		seen->children++;
	}
	memcpy(seen->last, name, length);
	seen->last[length] = '\0';
}

/* Names stand without a gap behind the entries; the last one ends where the block does, or with a NUL. */
static void see_block(struct seen *seen, uint32_t self, const uint8_t *block, size_t size)
{
	const size_t count = get_le(block + 8, 2) / 12;
	size_t name = count * 12;

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *dirent = block + i * 12;
		const size_t at = get_le(dirent + 8, 2);
		const size_t end = i + 1 < count ?
					   get_le(dirent + 20, 2) :
					   at + strnlen((const char *)block + at, size - at);
		char text[256] = "";

		assert_int_equal(at, name);
		assert_true(end > at && end <= size && end - at < sizeof(text));
		memcpy(text, block + at, end - at);
		assert_true(strcmp(seen->last, text) < 0);
		see(seen, self, dirent, text, end - at);
		name = end;
	}
	assert_int_equal(name, size < 4096 ? size : name);
}

static void see_directory(const struct image *image, const struct erofs_directory all[],
			  size_t count, uint32_t self)
{
	const struct erofs_directory *d = &all[self];
	const uint8_t *inode = image->bytes + d->place.inode;
	struct seen seen = { .image = image, .all = all, .count = count };
	const uint64_t size = get_le(inode + 8, 8);
	const uint64_t start = entries_of(image, inode);

	assert_int_equal(place_of(image, d->place.inode / 32), self);
	assert_int_equal(get_le(inode + 4, 2), 040000 | d->mode);
	assert_int_equal(get_le(inode + 24, 4), d->uid);
	assert_int_equal(get_le(inode + 28, 4), d->gid);
	assert_int_equal((int64_t)get_le(inode + 32, 8), d->mtime);
	assert_int_equal(get_le(inode + 40, 4), d->mtime_nsec);
	assert_int_equal(xattrs_of(inode), d->xattrs_size);
	assert_memory_equal(inode + 64, d->xattrs_size > 0 ? d->xattrs : inode, d->xattrs_size);
	assert_true(start + size <= image->size);
	for (uint64_t at = 0; at < size; at += 4096)
		see_block(&seen, self, image->bytes + start + at,
			  size - at < 4096 ? size - at : 4096);
	assert_true(seen.dot && seen.dot_dot);
	assert_int_equal(get_le(inode + 44, 4), 2 + seen.children);
}

/* Each directory is in just one other, as many children as there are directories but the root are found. */
static void expect_tree(struct erofs_directory all[], size_t count)
{
	const struct image image = make(all, count);
	uint64_t children = 0;

	assert_int_equal(get_le(image.bytes + SUPER + 36, 4) * 4096, image.size);
	assert_int_equal(get_le(image.bytes + SUPER + 14, 2) * 32, all[0].place.inode);
	for (uint32_t i = 0; i < count; i++) {
		see_directory(&image, all, count, i);
		children += get_le(image.bytes + all[i].place.inode + 44, 4) - 2;
	}
	assert_int_equal(children, count - 1);
	free(image.bytes);
}

/* ---- fields -------------------------------------------------------------------------------- */

static void expect_zeros(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 0);
}

static void has_a_superblock(void **state)
{
	struct erofs_directory all[] = { directory("", 0), directory("lib", 0),
					 directory("bin", 0) };
	const struct image image = make(all, COUNT(all));
	const uint8_t *super = image.bytes + SUPER;
	enum filesystem type;
	uint64_t size;

	(void)state;
	expect_zeros(image.bytes, SUPER);
	assert_int_equal(get_le(super, 4), 0xe0f5e1e2);
	assert_int_equal(get_le(super + 4, 4), 0);   /* checksum: a feature that it does not have */
	assert_int_equal(get_le(super + 8, 4), 2);   /* feature_compat: MTIME */
	assert_int_equal(super[12], 12);	     /* blkszbits */
	assert_int_equal(super[13], 0);		     /* sb_extslots */
	assert_int_equal(get_le(super + 14, 2), 36); /* root_nid: (1024 + 128) / 32 */
	assert_int_equal(get_le(super + 16, 8), 3);  /* inos */
	expect_zeros(super + 24, 12);		     /* epoch, fixed_nsec */
	assert_int_equal(get_le(super + 36, 4), 1);  /* blocks */
	expect_zeros(super + 40, 128 - 40); /* meta_blkaddr, uuid, feature_incompat, dirblkbits … */
	assert_int_equal(image.size, 4096);
	assert_reason(filesystem_identify(image.bytes, &type, &size), ACCEPTED);
	assert_int_equal(type, FILESYSTEM_EROFS);
	assert_int_equal(size, image.size);
	free(image.bytes);
}

static void has_inodes(void **state)
{
	struct erofs_directory all[] = { directory("", 0), directory("a", 0) };
	struct image image;
	const uint8_t *inode;

	(void)state;
	all[0].mode = 040000 | 07777;
	all[0].uid = 0x01020304;
	all[0].gid = UINT32_MAX - 1;
	all[0].mtime = 0x1122334455667788;
	all[0].mtime_nsec = 999999999;
	all[1].mode = 0;
	all[1].mtime = -1;
	image = make(all, COUNT(all));
	inode = image.bytes + 1152;
	assert_int_equal(get_le(inode, 2), 5);		/* i_format: extended, data inline */
	assert_int_equal(get_le(inode + 2, 2), 0);	/* i_xattr_icount */
	assert_int_equal(get_le(inode + 4, 2), 047777); /* i_mode */
	assert_int_equal(get_le(inode + 6, 2), 0);
	assert_int_equal(get_le(inode + 8, 8), 3 * 12 + 4); /* i_size */
	assert_int_equal(get_le(inode + 16, 4), UINT32_MAX);
	assert_int_equal(get_le(inode + 20, 4), 1);
	assert_int_equal(get_le(inode + 24, 4), 0x01020304);
	assert_int_equal(get_le(inode + 28, 4), 0xfffffffe);
	assert_int_equal(get_le(inode + 32, 8), 0x1122334455667788);
	assert_int_equal(get_le(inode + 40, 4), 999999999);
	assert_int_equal(get_le(inode + 44, 4), 3); /* i_nlink */
	expect_zeros(inode + 48, 16);
	assert_int_equal(all[1].place.inode, 1152 + 128); /* 64 + 40, and up to the next slot */
	inode = image.bytes + all[1].place.inode;
	assert_int_equal(get_le(inode + 4, 2), 040000);
	assert_int_equal(get_le(inode + 32, 8), UINT64_MAX);
	assert_int_equal(get_le(inode + 44, 4), 2);
	free(image.bytes);
}

static void has_entries(void **state)
{
	static const char names[] = "...ab";
	struct erofs_directory all[] = { directory("", 0), directory("b", 0), directory("a", 0) };
	const struct image image = make(all, COUNT(all));
	const uint8_t *entries = image.bytes + 1152 + 64;
	const uint64_t targets[] = { 36, 36, all[2].place.inode / 32, all[1].place.inode / 32 };
	const uint64_t offsets[] = { 48, 49, 51, 52 };

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		assert_int_equal(get_le(entries + 12 * i, 8), targets[i]);
		assert_int_equal(get_le(entries + 12 * i + 8, 2), offsets[i]);
		assert_int_equal(get_le(entries + 12 * i + 10, 2), 2);
	}
	assert_memory_equal(entries + 48, names, strlen(names));
	free(image.bytes);
}

/* ---- trees --------------------------------------------------------------------------------- */

static void sorts_by_bytes(void **state)
{
	static const char *const names[] = {
		"\xc3\xa9", "a", ".",  "!",    "-", "..-", ".-",  "...", ".a", "+lib", "\x7f",
		"\xff",	    "A", "ab", "\x01", " ", "~",   ".. ", ". ",	 "aa", "a\n"
	};
	struct erofs_directory all[COUNT(names)];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		all[i] = directory(names[i], 0);
	all[2] = directory("zz", 0);
	all[0].name = NULL; /* the root's does not matter */
	expect_tree(all, COUNT(all));
}

static void takes_a_root_alone(void **state)
{
	struct erofs_directory all[] = { directory("", 0) };

	(void)state;
	expect_tree(all, 1);
	assert_int_equal(all[0].place.size, 27);
}

static void takes_any_order(void **state)
{
	struct erofs_directory all[] = {
		directory("", 0),    directory("z", 0),	 directory("a", 0),  directory("c", 2),
		directory("b", 1),   directory("c", 1),	 directory("a", 2),  directory("m", 0),
		directory("a", 1),   directory("a", 3),	 directory("b", 2),  directory("x", 9),
		directory("zz", 11), directory("zz", 7), directory("a", 10),
	};

	(void)state;
	for (size_t count = 1; count <= COUNT(all); count++)
		expect_tree(all, count);
}

/* `width` names of `length` bytes, in an order that is none. */
static void expect_wide(uint32_t width, size_t length, uint32_t step)
{
	struct erofs_directory *all = calloc(width + 1, sizeof(*all));
	char *names = malloc((length + 1) * (size_t)width);

	assert_non_null(all);
	assert_non_null(names);
	for (uint32_t i = 0; i < width; i++) {
		char *name = names + (length + 1) * i;

		snprintf(name, length + 1, "%0*u", (int)length,
			 (uint32_t)((uint64_t)i * step % width));
		all[i + 1] = directory(name, 0);
	}
	expect_tree(all, width + 1);
	free(names);
	free(all);
}

static void takes_many_entries(void **state)
{
	(void)state;
	for (uint32_t width = 1; width < 40; width++)
		expect_wide(width, 255, 1);
	for (uint32_t width = 180; width < 220; width++) /* around one block */
		expect_wide(width, 7, width - 1);
	for (uint32_t width = 230; width < 270; width++) /* blocks that end where a name does */
		expect_wide(width, 4, 1);
	expect_wide(3000, 255, 7);
	expect_wide(MANY, 5, 7);
	expect_wide(MANY, 5, MANY - 1); /* sorted downwards */
}

static void takes_a_deep_tree(void **state)
{
	struct erofs_directory *all = calloc(EROFS_DIRECTORIES_MAX, sizeof(*all));

	(void)state;
	assert_non_null(all);
	for (uint32_t i = 0; i < EROFS_DIRECTORIES_MAX; i++)
		all[i] = directory("d", i > 0 ? i - 1 : 0);
	expect_tree(all, EROFS_DIRECTORIES_MAX);
	free(all);
}

/* One more entry, and then one more attribute, decide whether entries have a block of their own. */
static void puts_entries_where_they_fit(void **state)
{
	struct erofs_xattrs xattrs = { 0 };
	struct erofs_directory all[18];
	static char names[17][256];

	(void)state;
	all[0] = directory("", 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		memset(names[i], 'a' + (int)i, 240);
		all[i + 1] = directory(names[i], 0);
	}
	/* 64 + 27 + 15 * 252 = 3871: 225 are left */
	memset(names[15], 0, 256);
	memset(names[15], 'y', 225 - 12);
	expect_tree(all, 17);
	assert_int_equal(all[0].place.entries, all[0].place.inode + 64);
	assert_int_equal(all[0].place.inode, 4096); /* not behind the superblock */
	names[15][225 - 12] = 'y';
	expect_tree(all, 17);
	assert_int_equal(all[0].place.inode, 1152);
	assert_int_equal(all[0].place.entries % 4096, 0);
	names[15][225 - 12 - 16] = '\0';
	assert_true(erofs_xattr_put(&xattrs, "user.", "", 0) == false);
	expect_tree(all, 17);
	assert_int_equal(all[0].place.entries, all[0].place.inode + 64);
	all[0].xattrs = xattrs.bytes;
	assert_true(erofs_xattr_put(&xattrs, "user.a", "", 0)); /* 12 + 8 */
	all[0].xattrs_size = (uint32_t)xattrs.used;
	expect_tree(all, 17);
	assert_int_equal(all[0].place.entries % 4096, 0);
	names[15][225 - 12 - 20] = '\0';
	expect_tree(all, 17);
	assert_int_equal(all[0].place.entries, all[0].place.inode + 64 + 20);
}

/* 27 bytes of "." and "..", 253 entries of 16 bytes, and the last one. */
static void fills_a_block_of_entries(void **state)
{
	static char names[254][32];
	struct erofs_directory all[255];

	(void)state;
	all[0] = directory("", 0);
	for (uint32_t i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "%04u", i);
		all[i + 1] = directory(names[i], 0);
	}
	snprintf(names[253], sizeof(names[253]), "%09u", 999999999);
	expect_tree(all, COUNT(all));
	assert_int_equal(all[0].place.size, 4096);
	snprintf(names[253], sizeof(names[253]), "%010u", 999999999);
	expect_tree(all, COUNT(all));
	assert_int_equal(all[0].place.size, 4096 + 12 + 10);
}

/* The inode of the first child ends with the block, or begins the next one. */
static void fills_a_block_of_inodes(void **state)
{
	static const uint8_t zeros[4032];
	struct erofs_directory all[] = { directory("", 0), directory("a", 0), directory("b", 1) };

	(void)state;
	all[1].xattrs = zeros;
	all[1].xattrs_size = 4096 - 1280 - 64 - 40;
	expect_tree(all, COUNT(all));
	assert_int_equal(all[1].place.inode, 1280);
	assert_int_equal(all[2].place.inode, 4096);
	all[1].xattrs_size += 4;
	expect_tree(all, COUNT(all));
	assert_int_equal(all[1].place.inode, 4096);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void random_tree(uint32_t seed)
{
	const uint32_t count = 1 + next_random(&seed) % 300;
	struct erofs_directory all[301];
	struct erofs_xattrs xattrs[4] = { 0 };
	static char names[301][256];

	for (size_t i = 1; i < COUNT(xattrs); i++) {
		uint8_t value[4000] = { 0 };

		value[0] = (uint8_t)i;
		assert_true(erofs_xattr_put(&xattrs[i], "security.selinux", value,
					    next_random(&seed) % (i == 3 ? 4000 : 40)));
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct erofs_xattrs *x = &xattrs[next_random(&seed) % COUNT(xattrs)];

		memset(names[i], 0, sizeof(names[i]));
		memset(names[i], 1 + (int)(next_random(&seed) % 46), next_random(&seed) % 240);
		snprintf(names[i] + strlen(names[i]), 12, "%u", i);
		all[i] = directory(names[i], i > 0 ? next_random(&seed) % i : 0);
		all[i].mode = (uint16_t)(next_random(&seed) & 07777);
		all[i].uid = next_random(&seed);
		all[i].gid = next_random(&seed);
		all[i].mtime = (int64_t)next_random(&seed) - (1 << 23);
		all[i].mtime_nsec = next_random(&seed) % 1000000000;
		all[i].xattrs = x->bytes;
		all[i].xattrs_size = (uint32_t)x->used;
	}
	expect_tree(all, count);
}

static void takes_trees_of_all_kinds(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 1000; seed++)
		random_tree(seed);
}

static void writes_the_same_again(void **state)
{
	struct erofs_directory all[] = { directory("", 0), directory("b", 0), directory("a", 0),
					 directory("c", 2) };
	const struct image first = make(all, COUNT(all)), second = make(all, COUNT(all));

	(void)state;
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.bytes, second.bytes, first.size);
	free(first.bytes);
	free(second.bytes);
}

/* ---- limits -------------------------------------------------------------------------------- */

static void refuses_what_is_no_tree(void **state)
{
	static char long_name[257];
	static const char *const bad[] = { "", ".", "..", "/", "a/b", "a/", "/a", long_name };
	struct erofs_directory all[] = { directory("", 0), directory("a", 0), directory("b", 1),
					 directory("a", 1) };

	(void)state;
	memset(long_name, 'x', 256);
	assert_int_not_equal(erofs_layout(all, COUNT(all)), 0);
	assert_int_equal(erofs_layout(all, 0), 0);
	assert_int_equal(erofs_layout(all, EROFS_DIRECTORIES_MAX + 1), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		all[2].name = bad[i];
		assert_int_equal(erofs_layout(all, COUNT(all)), 0);
	}
	all[2].name = long_name + 1; /* 255 bytes */
	assert_int_not_equal(erofs_layout(all, COUNT(all)), 0);
	all[2].name = "a"; /* twice */
	assert_int_equal(erofs_layout(all, COUNT(all)), 0);
	all[2].name = "b";
	for (uint32_t parent = 2; parent < 5; parent++) {
		all[2].parent = parent;
		assert_int_equal(erofs_layout(all, COUNT(all)), 0);
	}
	all[2].parent = 1;
	all[0].parent = 1;
	assert_int_equal(erofs_layout(all, COUNT(all)), 0);
}

static void refuses_attributes_of_no_such_size(void **state)
{
	static const uint32_t bad[] = { 1, 4, 11, 12, 13, 17, 4033, 4036, 65536, UINT32_MAX };
	static const uint32_t good[] = { 0, 16, 20, 4028, 4032 };
	static const uint8_t zeros[4032];
	struct erofs_directory all[] = { directory("", 0), directory("a", 0) };

	(void)state;
	all[1].xattrs = zeros;
	for (size_t i = 0; i < COUNT(bad); i++) {
		all[1].xattrs_size = bad[i];
		assert_int_equal(erofs_layout(all, COUNT(all)), 0);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		all[1].xattrs_size = good[i];
		expect_tree(all, COUNT(all));
	}
}

/* ---- extended attributes ------------------------------------------------------------------- */

static void encodes_attributes(void **state)
{
	static const struct {
		const char *name;
		uint8_t index, length;
	} cases[] = {
		{ "user.a", 1, 1 },
		{ "system.posix_acl_access", 2, 0 },
		{ "system.posix_acl_default", 3, 0 },
		{ "trusted.overlay.redirect", 4, 16 },
		{ "security.selinux", 6, 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct erofs_xattrs x = { 0 };
		const size_t end = 12 + 4 + cases[i].length + 5;

		memset(x.bytes, 0xa5, sizeof(x.bytes));
		assert_true(erofs_xattr_put(&x, cases[i].name, "value", 5));
		assert_int_equal(x.used, (end + 3) / 4 * 4);
		expect_zeros(x.bytes, 12);
		assert_int_equal(x.bytes[12], cases[i].length);
		assert_int_equal(x.bytes[13], cases[i].index);
		assert_int_equal(get_le(x.bytes + 14, 2), 5);
		assert_memory_equal(x.bytes + 16,
				    cases[i].name + strlen(cases[i].name) - cases[i].length,
				    cases[i].length);
		assert_memory_equal(x.bytes + 16 + cases[i].length, "value", 5);
		expect_zeros(x.bytes + end, x.used - end);
		assert_int_equal(x.bytes[x.used], 0xa5);
	}
}

static void encodes_one_behind_the_other(void **state)
{
	static const uint8_t expected[] = {
		0,   0,	  0, 0, 0, 0, 0, 0, 0,	 0,   0,   0,	1,   1,	  1,   0,
		'a', 'x', 0, 0, 7, 6, 0, 0, 's', 'e', 'l', 'i', 'n', 'u', 'x', 0,
	};
	struct erofs_xattrs x = { 0 };

	(void)state;
	assert_true(erofs_xattr_put(&x, "user.a", "x", 1));
	assert_true(erofs_xattr_put(&x, "security.selinux", NULL, 0));
	assert_int_equal(x.used, sizeof(expected));
	assert_memory_equal(x.bytes, expected, sizeof(expected));
}

static void refuses_other_attributes(void **state)
{
	static const char *const bad[] = {
		"",
		"user",
		"user.",
		"trusted.",
		"security.",
		"system.",
		"system.a",
		"system.posix_acl",
		"system.posix_acl_acces",
		"system.posix_acl_access.",
		"system.posix_acl_default2",
		"User.a",
		"lustre.a",
		"a",
		"xuser.a",
	};
	char name[300] = "user.";
	struct erofs_xattrs x = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(erofs_xattr_put(&x, bad[i], "x", 1));
	memset(name + 5, 'n', 256);
	assert_false(erofs_xattr_put(&x, name, "x", 1));
	assert_int_equal(x.used, 0);
	name[5 + 255] = '\0';
	assert_true(erofs_xattr_put(&x, name, "x", 1));
	assert_int_equal(x.used, 12 + 4 + 255 + 1);
}

static void fills_the_block_and_no_more(void **state)
{
	static const uint8_t value[8192];
	struct erofs_xattrs x = { 0 };

	(void)state;
	assert_false(erofs_xattr_put(&x, "user.a", value, 4033));
	assert_false(erofs_xattr_put(&x, "user.a", value, 65536));
	assert_false(erofs_xattr_put(&x, "user.a", value, SIZE_MAX));
	assert_false(erofs_xattr_put(&x, "user.a", value, 4032 - 12 - 4 - 1 + 1));
	assert_int_equal(x.used, 0);
	assert_true(erofs_xattr_put(&x, "user.a", value, 4032 - 12 - 4 - 1));
	assert_int_equal(x.used, 4032);
	assert_false(erofs_xattr_put(&x, "user.b", "", 0));
	assert_int_equal(x.used, 4032);
	x.used = 0;
	assert_true(erofs_xattr_put(&x, "user.a", value, 4032 - 12 - 8 - 4 - 1));
	assert_false(erofs_xattr_put(&x, "user.b", "1234", 4));
	assert_true(erofs_xattr_put(&x, "user.b", "123", 3));
	assert_int_equal(x.used, 4032);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_superblock),
		cmocka_unit_test(has_inodes),
		cmocka_unit_test(has_entries),
		cmocka_unit_test(sorts_by_bytes),
		cmocka_unit_test(takes_a_root_alone),
		cmocka_unit_test(takes_any_order),
		cmocka_unit_test(takes_many_entries),
		cmocka_unit_test(takes_a_deep_tree),
		cmocka_unit_test(puts_entries_where_they_fit),
		cmocka_unit_test(fills_a_block_of_entries),
		cmocka_unit_test(fills_a_block_of_inodes),
		cmocka_unit_test(takes_trees_of_all_kinds),
		cmocka_unit_test(writes_the_same_again),
		cmocka_unit_test(refuses_what_is_no_tree),
		cmocka_unit_test(refuses_attributes_of_no_such_size),
		cmocka_unit_test(encodes_attributes),
		cmocka_unit_test(encodes_one_behind_the_other),
		cmocka_unit_test(refuses_other_attributes),
		cmocka_unit_test(fills_the_block_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

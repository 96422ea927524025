/* SPDX-License-Identifier: Apache-2.0 */
#include "core/erofs.h"

#include <string.h>

#define SUPERBLOCK 1024u	/* offset, bytes */
#define SUPERBLOCK_SIZE 128u	/* bytes */
#define MAGIC 0xe0f5e1e2u	/* EROFS_SUPER_MAGIC_V1 */
#define COMPAT_MTIME 2u		/* what inodes have is the time of the last modification */
#define BLOCK_BITS 12u		/* 4096 bytes */
#define SLOT 32u		/* bytes; inodes are numbered by where they are, in slots */
#define FORMAT_EXTENDED 1u	/* i_format: inodes of 64 bytes ... */
#define FORMAT_INLINE (2u << 1) /* ... with the data behind them */
#define NO_BLOCK UINT32_MAX
#define MODE_DIRECTORY 0x4000u /* S_IFDIR */
#define MODE_PERMISSIONS 0xfffu
#define DIRENT_SIZE 12u
#define TYPE_DIRECTORY 2u

static uint64_t round_up(uint64_t number, uint64_t unit)
{
	return (number + unit - 1) / unit * unit;
}

/* Little-endian, of 1 to 8 bytes. */
static void put_le(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static void put_le16(uint8_t *to, uint64_t value)
{
	put_le(to, value, sizeof(uint16_t));
}

static void put_le32(uint8_t *to, uint64_t value)
{
	put_le(to, value, sizeof(uint32_t));
}

static void put_le64(uint8_t *to, uint64_t value)
{
	put_le(to, value, sizeof(uint64_t));
}

/* ---- extended attributes ------------------------------------------------------------------- */

#define XATTR_HEADER \
	12u /* bytes: a filter that is not used, and how many attributes are elsewhere: 0 */
#define XATTR_ENTRY 4u /* bytes, and what entries are aligned to */

struct prefix {
	const char *text;
	uint8_t index;
	bool is_whole; /* nothing may follow, where otherwise something must */
};

static const struct prefix *find_prefix(const char *name)
{
	static const struct prefix prefixes[] = {
		{ "user.", 1, false },
		{ "system.posix_acl_access", 2, true },
		{ "system.posix_acl_default", 3, true },
		{ "trusted.", 4, false },
		{ "security.", 6, false },
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const size_t size = strlen(prefixes[i].text);

		if (strlen(name) >= size && memcmp(name, prefixes[i].text, size) == 0 &&
		    (name[size] == '\0') == prefixes[i].is_whole)
			return &prefixes[i];
	}
	return NULL;
}

bool erofs_xattr_put(struct erofs_xattrs *xattrs, const char *name, const void *value, size_t size)
{
	const struct prefix *prefix = find_prefix(name);
	const char *rest = prefix ? name + strlen(prefix->text) : NULL;
	const size_t start = xattrs->used > 0 ? xattrs->used : XATTR_HEADER;
	uint8_t *entry = xattrs->bytes + start;
	size_t length, end;

	if (!prefix || strlen(rest) > UINT8_MAX || size > EROFS_XATTRS_MAX)
		return false;
	length = strlen(rest);
	end = (size_t)round_up(start + XATTR_ENTRY + length + size, XATTR_ENTRY);
	if (end > EROFS_XATTRS_MAX)
		return false;
	memset(xattrs->bytes + xattrs->used, 0, end - xattrs->used);
	entry[0] = (uint8_t)length;
	entry[1] = prefix->index;
	put_le16(entry + 2, size);
	memcpy(entry + XATTR_ENTRY, rest, length);
	if (size > 0)
		memcpy(entry + XATTR_ENTRY + length, value, size);
	xattrs->used = end;
	return true;
}

/* What an inode says of their size: words of four bytes, the header counts as one. */
static uint64_t xattr_count(const struct erofs_directory *directory)
{
	if (directory->xattrs_size == 0)
		return 0;
	return (directory->xattrs_size - XATTR_HEADER) / XATTR_ENTRY + 1;
}

/* ---- who is below whom --------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= EROFS_NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool are_xattrs(uint32_t size)
{
	return size == 0 ||
	       (size > XATTR_HEADER && size <= EROFS_XATTRS_MAX && size % XATTR_ENTRY == 0);
}

static bool are_possible(const struct erofs_directory all[], size_t count)
{
	if (count == 0 || count > EROFS_DIRECTORIES_MAX || all[0].parent != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!are_xattrs(all[i].xattrs_size) ||
		    (i > 0 && (all[i].parent >= i || !is_name(all[i].name))))
			return false;
	return true;
}

static bool comes_before(const struct erofs_directory all[], uint32_t a, uint32_t b)
{
	if (all[a].parent != all[b].parent)
		return all[a].parent < all[b].parent;
	return strcmp(all[a].name, all[b].name) < 0;
}

/* A heap from 1 on, in `sorted`: no memory but that, and no order of names makes it slow. */
static void sift(struct erofs_directory all[], size_t at, size_t last)
{
	const uint32_t moved = all[at].place.sorted;

	for (size_t child = 2 * at; child <= last; child = 2 * at) {
		if (child < last &&
		    comes_before(all, all[child].place.sorted, all[child + 1].place.sorted))
			child++;
		if (!comes_before(all, moved, all[child].place.sorted))
			break;
		all[at].place.sorted = all[child].place.sorted;
		at = child;
	}
	all[at].place.sorted = moved;
}

static void sort(struct erofs_directory all[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		all[i].place.sorted = (uint32_t)i;
	for (size_t i = (count - 1) / 2; i > 0; i--)
		sift(all, i, count - 1);
	for (size_t last = count - 1; last > 1; last--) {
		const uint32_t greatest = all[1].place.sorted;

		all[1].place.sorted = all[last].place.sorted;
		all[last].place.sorted = greatest;
		sift(all, 1, last - 1);
	}
}

/* Children of one parent stand together in that order. False for two of one name. */
static bool find_children(struct erofs_directory all[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		all[i].place.children = 0;
	for (size_t i = 1; i < count; i++) {
		struct erofs_directory *parent = &all[all[all[i].place.sorted].parent];

		if (parent->place.children == 0)
			parent->place.first = (uint32_t)i;
		else if (!comes_before(all, all[i - 1].place.sorted, all[i].place.sorted))
			return false;
		parent->place.children++;
	}
	return true;
}

/* ---- the entries of a directory ------------------------------------------------------------ */

struct entry {
	const char *name;
	size_t length;
	uint32_t target;
};

/* The entries that are left: children, and "." and "..", which stand among them where their bytes belong. */
struct entries {
	const struct erofs_directory *all;
	uint32_t self;
	uint32_t children;
	uint32_t dots;
};

static bool next_entry(struct entries *entries, struct entry *entry)
{
	static const char *const dots[] = { ".", ".." };
	const struct erofs_directory *self = &entries->all[entries->self];
	const bool has_child = entries->children < self->place.children;
	const uint32_t child =
		has_child ? entries->all[self->place.first + entries->children].place.sorted : 0;

	if (entries->dots < 2 &&
	    (!has_child || strcmp(dots[entries->dots], entries->all[child].name) < 0)) {
		entry->name = dots[entries->dots];
		entry->target = entries->dots == 0 ? entries->self : self->parent;
		entries->dots++;
	} else if (has_child) {
		entry->name = entries->all[child].name;
		entry->target = child;
		entries->children++;
	} else {
		return false;
	}
	entry->length = strlen(entry->name);
	return true;
}

struct fill {
	size_t count;
	size_t bytes;
};

/* What the next block holds of them, which it steps over. */
static struct fill fill_block(struct entries *entries)
{
	struct entries ahead = *entries;
	struct fill fill = { 0 };
	struct entry entry;

	while (next_entry(&ahead, &entry) &&
	       fill.bytes + DIRENT_SIZE + entry.length <= EROFS_BLOCK) {
		fill.bytes += DIRENT_SIZE + entry.length;
		fill.count++;
		*entries = ahead;
	}
	return fill;
}

/* Whole blocks, and of the last one what is used. */
static uint64_t entries_size(const struct erofs_directory all[], uint32_t self)
{
	struct entries entries = { .all = all, .self = self };
	uint64_t size = 0;

	for (struct fill f = fill_block(&entries); f.count > 0; f = fill_block(&entries))
		size = round_up(size, EROFS_BLOCK) + f.bytes;
	return size;
}

static void write_entries(const struct erofs_directory all[], uint32_t self, uint8_t *to)
{
	struct entries entries = { .all = all, .self = self };
	struct entries end = entries;

	for (struct fill f = fill_block(&end); f.count > 0; f = fill_block(&end)) {
		size_t name = f.count * DIRENT_SIZE;

		for (size_t i = 0; i < f.count; i++) {
			uint8_t *dirent = to + i * DIRENT_SIZE;
			struct entry entry = { 0 };

			(void)next_entry(&entries, &entry);
			put_le64(dirent, all[entry.target].place.inode / SLOT);
			put_le16(dirent + 8, name);
			dirent[10] = TYPE_DIRECTORY;
			memcpy(to + name, entry.name, entry.length);
			name += entry.length;
		}
		to += EROFS_BLOCK;
	}
}

/* ---- the image ----------------------------------------------------------------------------- */

/* Most directories of a tree have few entries, and then need no block of their own. */
static bool is_inline(const struct erofs_directory *directory)
{
	return EROFS_INODE_SIZE + directory->xattrs_size + directory->place.size <= EROFS_BLOCK;
}

/* From `at` on, or from the next block on, as all of it is in one. Returns where it ends. */
static uint64_t place_inode(struct erofs_directory *directory, uint64_t at)
{
	const uint64_t head = EROFS_INODE_SIZE + directory->xattrs_size;
	const uint64_t whole = is_inline(directory) ? head + directory->place.size : head;

	if (at % EROFS_BLOCK + whole > EROFS_BLOCK)
		at = round_up(at, EROFS_BLOCK);
	directory->place.inode = at;
	directory->place.entries = at + head;
	return round_up(at + whole, SLOT);
}

/* The root's inode comes first: the superblock has 16 bits for its number. */
uint64_t erofs_layout(struct erofs_directory directories[], size_t count)
{
	uint64_t at = SUPERBLOCK + SUPERBLOCK_SIZE;

	if (!are_possible(directories, count))
		return 0;
	sort(directories, count);
	if (!find_children(directories, count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		directories[i].place.size = entries_size(directories, (uint32_t)i);
		at = place_inode(&directories[i], at);
	}
	for (size_t i = 0; i < count; i++) {
		if (is_inline(&directories[i]))
			continue;
		at = round_up(at, EROFS_BLOCK);
		directories[i].place.entries = at;
		at += directories[i].place.size;
	}
	return round_up(at, EROFS_BLOCK);
}

static void write_superblock(const struct erofs_directory *root, size_t count, uint8_t *to,
			     uint64_t size)
{
	put_le32(to, MAGIC);
	put_le32(to + 8, COMPAT_MTIME);		     /* feature_compat */
	to[12] = BLOCK_BITS;			     /* blkszbits */
	put_le16(to + 14, root->place.inode / SLOT); /* rootnid_2b; meta_blkaddr is 0 */
	put_le64(to + 16, count);		     /* inos */
	put_le32(to + 36, size / EROFS_BLOCK);	     /* blocks_lo */
}

static void write_inode(const struct erofs_directory *directory, uint64_t number, uint8_t *to)
{
	const bool whole = is_inline(directory);

	put_le16(to, FORMAT_EXTENDED | (whole ? FORMAT_INLINE : 0));
	put_le16(to + 2, xattr_count(directory));
	put_le16(to + 4, MODE_DIRECTORY | (directory->mode & MODE_PERMISSIONS));
	put_le64(to + 8, directory->place.size);
	put_le32(to + 16, whole ? NO_BLOCK : directory->place.entries / EROFS_BLOCK);
	put_le32(to + 20, number); /* i_ino: of 32 bits, for those who want one */
	put_le32(to + 24, directory->uid);
	put_le32(to + 28, directory->gid);
	put_le64(to + 32, (uint64_t)directory->mtime);
	put_le32(to + 40, directory->mtime_nsec);
	put_le32(to + 44, 2 + directory->place.children); /* i_nlink */
	if (directory->xattrs_size > 0)
		memcpy(to + EROFS_INODE_SIZE, directory->xattrs, directory->xattrs_size);
}

void erofs_write(const struct erofs_directory directories[], size_t count, uint8_t *image,
		 uint64_t size)
{
	write_superblock(&directories[0], count, image + SUPERBLOCK, size);
	for (size_t i = 0; i < count; i++) {
		const struct erofs_directory *directory = &directories[i];

		write_inode(directory, i + 1, image + directory->place.inode);
		write_entries(directories, (uint32_t)i, image + directory->place.entries);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/attach.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "core/filesystem.h"
#include "core/text.h"
#include "sys/dm.h"
#include "sys/fd.h"
#include "sys/keyring.h"
#include "sys/loop.h"
#include "sys/mount.h"

struct work {
	const struct attach_order *order;
	const struct facts *facts;
	int image_fd;
	struct loop data;
	struct loop tree;
	struct dm_device device;
	int mount_fd;
};

/* ---- the device ---------------------------------------------------------------------------- */

static void hold_loop(struct loop *loop)
{
	struct worker_holds *holds = worker_holds();

	holds->loop[holds->loops++] = loop->device;
}

static struct verdict loop_data(struct work *work)
{
	const struct verdict v = loop_attach(work->image_fd, work->facts->layout.data, &work->data);

	if (is_accepted(v))
		hold_loop(&work->data);
	return v;
}

static struct verdict loop_tree(struct work *work)
{
	const struct verdict v = loop_attach(work->image_fd, work->facts->layout.tree, &work->tree);

	if (is_accepted(v))
		hold_loop(&work->tree);
	return v;
}

/* A device as the kernel is asked for it. */
struct description {
	struct dm_verity verity;
	char uuid[TABLE_UUID_MAX];
	char line[TABLE_LINE_MAX];
};

static void describe(const struct attach_order *order, const struct attached *attached,
		     enum corruption corruption, struct description *description)
{
	const struct facts *facts = trusted_facts(order->trusted);
	const struct table_options options = { .signature_key = attached->kernel_checked ?
									order->device :
									NULL,
					       .corruption = corruption };

	description->verity = (struct dm_verity){ .name = order->device,
						  .uuid = description->uuid,
						  .sectors = table_sectors(&facts->verity),
						  .line = description->line };
	table_uuid(facts->root_hash, order->device, description->uuid);
	table_verity(facts, attached->data, attached->tree, &options, description->line);
}

/* Where the kernel is to check the signature it must be lent. The key is called like the device. */
static struct verdict ask(const struct attach_order *order, const struct attached *attached,
			  enum corruption corruption, struct dm_device *made)
{
	const struct facts *facts = trusted_facts(order->trusted);
	struct keyring_loan loan = KEYRING_NO_LOAN;
	struct description description;
	struct verdict v = verdict(REASON_ACCEPTED);

	describe(order, attached, corruption, &description);
	if (attached->kernel_checked)
		v = keyring_lend(order->device, facts->signature, facts->signature_size, &loan);
	if (is_accepted(v))
		v = made != NULL ? dm_verity_make(&description.verity, made) :
				   dm_verity_reload(&description.verity);
	keyring_take_back(&loan);
	return v;
}

struct verdict attach_reload(const struct attach_order *order, const struct attached *attached)
{
	return ask(order, attached, order->options->corruption, NULL);
}

/*
 * What vext itself reads must not restart the machine: strict is the device only when it is
 * reloaded.
 */
static struct verdict make_device(struct work *work, bool kernel_checks)
{
	const struct attached attached = { .data = work->data.device,
					   .tree = work->tree.device,
					   .kernel_checked = kernel_checks };
	const struct verdict v = ask(work->order, &attached, CORRUPTION_IO_ERROR, &work->device);

	work->order->attaching->kernel_checked = kernel_checks && is_accepted(v);
	return v;
}

/*
 * The signature was checked here before. In auto mode the kernel is asked where it can be expected
 * to say yes; ENOKEY is no opinion about the signature: this kernel does not look where the
 * certificate is.
 */
static struct verdict make_verity(struct work *work)
{
	const enum kernel_signature mode = work->order->options->kernel_signature;
	const bool can_check = mode != KERNEL_SIGNATURE_OFF && keyring_kernel_checks();
	struct verdict v;

	memcpy(worker_holds()->device, work->order->device, strlen(work->order->device) + 1);
	if (!work->facts->is_signed) /* by policy: nothing to be checked, or asked for in vain */
		return mode == KERNEL_SIGNATURE_REQUIRE ? verdict(REASON_POLICY_UNSIGNED) :
							  make_device(work, false);
	if (mode == KERNEL_SIGNATURE_REQUIRE)
		return can_check ? make_device(work, true) : verdict(REASON_KERNEL_NO_CHECK);
	if (!can_check || !keyring_knows(&work->facts->signer))
		return make_device(work, false);
	v = make_device(work, true);
	return v.sys_errno == ENOKEY ? make_device(work, false) : v;
}

static struct verdict check_device(struct work *work)
{
	const struct facts *facts = work->facts;
	_Alignas(VEXT_BLOCK) uint8_t block[VEXT_BLOCK];
	enum filesystem type;
	uint64_t size;
	struct verdict v = dm_verity_check(&work->device, block);

	if (!is_accepted(v))
		return v;
	v = filesystem_identify(block, &type, &size);
	if (!is_accepted(v) || type != facts->filesystem || size != facts->filesystem_size)
		return verdict(REASON_KERNEL_FILESYSTEM);
	return v;
}

static struct verdict mount_image(struct work *work)
{
	struct attaching *attaching = work->order->attaching;
	struct text detail;

	text_init(&detail, attaching->detail, sizeof(attaching->detail));
	return mount_device(filesystem_name(work->facts->filesystem), MOUNT_NODE_DM,
			    work->device.number, &detail, &work->mount_fd);
}

static struct verdict carry_out(struct work *work, enum step_op op)
{
	switch (op) {
	case STEP_LOOP_DATA:
		return loop_data(work);
	case STEP_LOOP_TREE:
		return loop_tree(work);
	case STEP_VERITY:
		return make_verity(work);
	case STEP_CHECK_DEVICE:
		return check_device(work);
	case STEP_MOUNT:
		return mount_image(work);
	case STEP_CHECK_CONTENT:
	case STEP_FIT:
	case STEP_RELOAD:
	case STEP_OVERLAY:
	case STEP_CHECK_MERGED:
	case STEP_MOVE: /* no worker's of one image */
		break;
	}
	return verdict(REASON_UNDECIDED);
}

/* ---- the worker ---------------------------------------------------------------------------- */

uint64_t attach_now(void)
{
	struct timespec at = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static struct verdict run_steps(struct work *work)
{
	struct attaching *attaching = work->order->attaching;
	const enum step_op last = work->order->options->stays ? STEP_CHECK_DEVICE : STEP_MOUNT;
	struct verdict v = verdict(REASON_ACCEPTED);

	for (enum step_op op = STEP_LOOP_DATA; op <= last && is_accepted(v); op++) {
		const uint64_t start = attach_now();

		worker_holds()->at = op;
		worker_tick();
		v = carry_out(work, op);
		*(op <= STEP_CHECK_DEVICE ? &attaching->attach_microseconds :
					    &attaching->mount_microseconds) += attach_now() - start;
	}
	return v;
}

static struct verdict keep(struct work *work)
{
	const struct attach_order *order = work->order;
	const struct attached attached = { .data = work->data.device,
					   .tree = work->tree.device,
					   .kernel_checked = order->attaching->kernel_checked };
	struct verdict v = verdict(REASON_ACCEPTED);

	if (order->options->corruption != CORRUPTION_IO_ERROR)
		v = attach_reload(order, &attached);
	return is_accepted(v) ? dm_keep(order->device, &work->device) : v;
}

/* Unless it is mounted, or kept, all of it goes with this process. */
static void do_work(void *ctx, int channel)
{
	const struct attach_order *order = ctx;
	struct work work = { .order = order,
			     .facts = trusted_facts(order->trusted),
			     .image_fd = -1,
			     .data = LOOP_NONE,
			     .tree = LOOP_NONE,
			     .device = DM_DEVICE_NONE,
			     .mount_fd = -1 };
	struct verdict v = verdict(REASON_SYSTEM_WORKER);

	if (worker_hear(order->image->channel, &work.image_fd) && work.image_fd >= 0)
		v = run_steps(&work);
	if (is_accepted(v) && order->options->stays)
		v = keep(&work);
	order->attaching->data = work.data.device;
	order->attaching->tree = work.tree.device;
	order->attaching->verdict = v;
	if (!is_accepted(v))
		dm_remove(&work.device);
	(void)worker_say(channel, is_accepted(v) ? work.mount_fd : -1);
}

struct verdict attach_start(struct worker *worker, const struct attach_order *order)
{
	struct attach_order given = *order;

	return worker_start(worker, do_work, &given, &order->image->channel, 1);
}

/* ---- the parent ---------------------------------------------------------------------------- */

static struct verdict check_mount(int mount_fd, struct table_device device)
{
	struct stat st;

	if (mount_fd < 0 || fstat(mount_fd, &st) < 0 ||
	    st.st_dev != makedev(device.major, device.minor))
		return verdict_errno(REASON_KERNEL_MOUNT, EXDEV);
	return verdict(REASON_ACCEPTED);
}

/* A refusal is the worker's to choose; that something was done is not. */
static struct verdict looked_at(struct verdict said)
{
	return reason_is_known((uint32_t)said.reason) && said.reason != REASON_UNDECIDED ?
		       said :
		       verdict(REASON_SYSTEM_WORKER);
}

struct verdict attach_take(const struct attach_order *order, int mount_fd,
			   struct attached *attached)
{
	const struct attaching *attaching = order->attaching;
	struct attached found = { .data = attaching->data,
				  .tree = attaching->tree,
				  .kernel_checked = attaching->kernel_checked };
	struct description description;
	struct verdict v = looked_at(attaching->verdict);

	if (!is_accepted(v))
		return v;
	if (order->options->kernel_signature == KERNEL_SIGNATURE_REQUIRE && !found.kernel_checked)
		return verdict(REASON_KERNEL_NO_CHECK);
	describe(order, &found,
		 order->options->stays ? order->options->corruption : CORRUPTION_IO_ERROR,
		 &description);
	v = dm_verity_confirm(&description.verity, &found.device);
	if (is_accepted(v) && !order->options->stays)
		v = check_mount(mount_fd, found.device);
	if (is_accepted(v))
		*attached = found;
	return v;
}

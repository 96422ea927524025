/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "log.h"
#include "sys/worker.h"

struct command {
	const char *name;
	enum exit_status (*run)(int argc, char **argv);
	const char *arguments;
	const char *purpose;
	bool is_bounded; /* what it changes others wait for, so it may not wait for ever */
};

static const struct command commands[] = {
	{ "verify", command_verify,
	  "[--json] [--deep] [--anchor FILE]... [--root DIR] [--policy P] [--name NAME] IMAGE...",
	  "judge images; needs no privileges", false },
	{ "inspect", command_inspect,
	  "[--json] [--deep] [--anchor FILE]... [--root DIR] [--policy P] [--name NAME] IMAGE",
	  "draw an image: partitions, claim, superblock, signer, verdict", false },
	{ "boot", command_boot, "[--root DIR] [--dry-run]",
	  "judge the extensions under DIR (/sysroot) and merge the good ones", true },
	{ "merge", command_merge,
	  "[--json] [--dry-run] [--no-reload] [--class CLASS [--yield]] [--root DIR]",
	  "the same on a running system, onto DIR (/)", true },
	{ "unmerge", command_unmerge,
	  "[--json] [--no-reload] [--if-mergeable] [--class CLASS [--yield]] [--root DIR]",
	  "take what is merged off DIR (/) again", true },
	{ "list", command_list, "[--json] [--root DIR]",
	  "list the extensions of DIR (/), and what vext says of each", false },
	{ "status", command_status, "[--json] [--root DIR]",
	  "show what is merged on DIR (/), and what the last boot or merge found", false },
	{ "attach", command_attach, "[--json] [--root DIR] [--name NAME] IMAGE...",
	  "judge images and make their verity devices, no more", true },
	{ "detach", command_detach, "NAME...",
	  "remove such devices again, by the name of extension or device", true },
	{ "open", command_open, "[--dry-run] [--timeout SECONDS]",
	  "open /usr or the root by the root hash of the kernel command line", true },
	{ "close", command_close, "NAME...", "remove what open made again: usr, root", true },
	{ "anchors", command_anchors, "[--json] [--root DIR]",
	  "list the trusted certificates and what is revoked", false },
	{ "yields", command_yields, "CLASS...",
	  "tell systemd's units whether vext leaves these classes (sysext, confext) to them",
	  false },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
	fputs("vext verifies signed system extensions and merges the good ones before switch-root.\n\n"
	      "Usage:\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  vext %s %s\n      %s\n", commands[i].name, commands[i].arguments,
			commands[i].purpose);
	fputs("  vext --help | --version\n\n"
	      "  --anchor FILE   trust this certificate (PEM or DER), and none of the baked ones\n"
	      "  --class CLASS   only this class: sysext or confext\n"
	      "  --deep          check every block, not only the path to the first one\n"
	      "  --dry-run       print what would be done\n"
	      "  --if-mergeable  not if something required is merged and would now be refused\n"
	      "  --json          results for programs\n"
	      "  --name NAME     the extension's name, if not that of the file\n"
	      "  --no-reload     don't have systemd read its units anew\n"
	      "  --policy P      judge by this image policy, see systemd.image-policy(7)\n"
	      "  --root DIR      the root to merge onto, or whose certificates count too\n"
	      "  --timeout SECONDS  how long a partition is waited for\n"
	      "  --yield         if the class is systemd's, run systemd-CLASS instead\n\n"
	      "Exit status: 0 all accepted or nothing to do, 1 an image was refused, 2 usage,\n"
	      "3 the system failed, 4 a required extension is missing and the boot must stop.\n"
	      "Results go to standard output, messages to standard error.\n",
	      to);
}

enum exit_status usage_error(const char *command)
{
	fprintf(stderr, "vext: see 'vext --help' for how to call '%s'\n", command);
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* A result that nobody could read is not a result. */
static enum exit_status flush(enum exit_status status)
{
	worker_may_wait();
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("vext: standard output");
	return report_worse(status, EXIT_SYSTEM);
}

static int run_flushed(int argc, char **argv)
{
	return (int)flush(find_command(argv[0])->run(argc, argv));
}

/*
 * Workers wait for images. What is left is the root itself: without its disk there is nothing to be
 * done, and that is told.
 */
static int run_bounded(int argc, char **argv)
{
	int status = 0;
	const pid_t left = worker_supervise(run_flushed, argc, argv, &status);
	const int error = errno;

	if (left == 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	if (strcmp(argv[0], "boot") == 0)
		log_to_kernel();
	if (left == 0)
		log_line(LOG_LEVEL_ERROR, "%s: its process was ended by signal %d (%s)", argv[0],
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (left < 0)
		log_line(LOG_LEVEL_ERROR, "%s: how its process ended can't be told: %s", argv[0],
			 strerror(error));
	else
		log_line(LOG_LEVEL_ERROR,
			 "%s: the kernel has not answered for %u s; does the disk of the root "
			 "answer, and those of what is merged? Process %ld is left behind",
			 argv[0], WORKERS_PATIENCE_MS / 1000, (long)left);
	return EXIT_SYSTEM;
}

static int run(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);

	if (command == NULL) {
		fprintf(stderr, "vext: there is no command '%s'; see 'vext --help'\n", argv[0]);
		return EXIT_USAGE;
	}
	return command->is_bounded ? run_bounded(argc, argv) : run_flushed(argc, argv);
}

/*
 * The next file opened would get the number of a standard one that is closed, and messages would go
 * into it.
 * Writing to O_PATH fails, so a result that nobody gets is noticed.
 */
static bool occupy_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/", O_PATH) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	signal(SIGCHLD, SIG_DFL); /* inherited "ignore" would take away the jail's exit status */
	signal(SIGPIPE, SIG_IGN); /* a log that nobody reads is no reason to stop half-way */
	if (!occupy_standard_files())
		return EXIT_SYSTEM;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return (int)flush(EXIT_GOOD);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("vext " VEXT_VERSION);
		return (int)flush(EXIT_GOOD);
	}
	return run(argc - 1, argv + 1);
}

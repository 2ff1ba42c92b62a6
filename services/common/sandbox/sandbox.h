/*
 * sandbox.h - a process drops what it does not need. Entered once, by the only thread there is,
 * after configuration and keys are known and before the first byte from outside is read; threads
 * that are started later are inside too. There is no way out. The whole policy is in sandbox.def.
 *
 * 1. No new privileges; no core file (the process is not dumpable: a limit alone does not stop a
 *    core that goes to a pipe); files are made for their owner only, but by commands of people.
 * 2. Landlock: the home and the paths of the configuration are read and written, a few system files
 *    are read, nothing else is opened and nothing executed; TCP goes to (or listens on) the ports
 *    of the configuration only; no signal leaves. A kernel without Landlock is logged as a warning,
 *    or, with `[havre] sandbox = required`, refused. An older kernel gives the part that it has.
 * 3. seccomp: a list of what is allowed. A call that no program of ours and no library under it
 *    ever makes (a program started, a user changed, a module loaded) is an attack: it kills the
 *    process, and the supervisor's log says SIGSYS. Any other call that is not on the list fails
 *    with EPERM, for libraries try calls and have another way. No process is started, and no
 *    memory executed.
 *
 * A path of the configuration that is a folder can be used below itself; of a file, the folder that
 * it lies in can be read, because files are replaced by renaming; what is not there yet can be made
 * in its folder. Names of hosts are resolved (UDP) only when an endpoint has one instead of a
 * number. Sanitized builds may do a little more, so that the check for leaks works.
 */
#ifndef HAVRE_SANDBOX_H
#define HAVRE_SANDBOX_H

#include <stdbool.h>

#include "services/common/base/config.h"

/* A file or folder beyond those of the configuration: an operand of a command. */
struct sandbox_file {
	const char *path; /* NULL ends a list */
	bool write;       /* else only read */
};

/*
 * Enters. `files` may be NULL. Any error (ERR_SANDBOX: logged, with the step; ERR_INVALID: an
 * endpoint of the configuration that is not tcp://HOST:PORT or a URL) leaves the process half
 * inside: it must end.
 */
MUST_USE enum err sandbox_enter(
	enum program program, const struct config *c, const struct sandbox_file *files);

struct cli;
/* The same for a command of a person, before it runs: with the files that its words name. */
MUST_USE enum err sandbox_command(struct cli *c);

#endif

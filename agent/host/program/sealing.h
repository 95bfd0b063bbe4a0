// Sealing: how a process leaves the machine's namespaces, and its rights, behind.
//
// In this order, since each step needs the rights that a later one gives up:
//   leave_namespaces -> build_root -> (fork) -> mount_proc -> drop_rights
#pragma once

#include "agent/host/room.h"
#include "agent/host/user.h"

#include <sys/types.h>

#include <string>

namespace holdfast::agent {

/// New namespaces of every kind but users; a loopback that is up; `host_name`. The caller's
/// children are in the new process namespace. Errors: Denied, Io.
Result<void> leave_namespaces(const std::string& host_name);

/// Builds a root on the folder `root` and makes it ours; the old one is out of reach.
/// Errors: NotFound (a folder or program of the order), Denied, Io.
Result<void> build_root(const RoomOrder& order, const std::string& root);

/// Errors: Io.
Result<void> mount_proc();

/// Becomes `user` for good, without any capability, in a user namespace of its own if the kernel
/// allows that. Errors: Io.
Result<void> drop_rights(const User& user);

/// Joins the namespaces of process `init`, but for users. Children are in its process namespace.
/// Errors: NotFound (it has ended), Denied, Io.
Result<void> join_namespaces(pid_t init);

/// Joins the network of process `init` alone. Errors: as join_namespaces().
Result<void> join_network(pid_t init);

}  // namespace holdfast::agent

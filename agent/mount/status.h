// The status file of a mount: one JSON object, a number for each member of MountStatus.
#pragma once

#include "agent/mount/mount.h"

#include <string>

namespace holdfast::agent {

std::string encode_status(const MountStatus& status);

}  // namespace holdfast::agent

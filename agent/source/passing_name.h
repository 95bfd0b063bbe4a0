// Passing names: of what a source makes for the time that it reads (a copy, a snapshot). They tell
// whose they are, so that those of killed processes can be cleared away.
#pragma once

#include "vault/base/bytes.h"
#include "vault/crypto/random.h"

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

namespace holdfast::agent {

/// `prefix`, this process's id, and random digits.
inline std::string passing_name(std::string_view prefix) {
    std::array<std::uint8_t, 8> random{};
    vault::system_random().fill(random);
    return std::string(prefix) + std::to_string(::getpid()) + "-" + to_hex(random);
}

/// True for such a name of a process that is gone.
inline bool is_left_over(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return false;
    const char* const end = name.data() + name.size();
    pid_t pid = 0;
    const auto read = std::from_chars(name.data() + prefix.size(), end, pid);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != '-') return false;
    return pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace holdfast::agent

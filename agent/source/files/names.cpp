#include "agent/source/files/names.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast::agent::files {
namespace {

// 64 KiB: about 2000 names a call; larger ones did not measure faster.
constexpr std::size_t listing_bytes = 64 << 10;

}  // namespace

int Names::read(int folder) {
    alignas(struct dirent64) std::array<char, listing_bytes> listing;
    int failed = 0;
    for (;;) {
        const ssize_t got = getdents64(folder, listing.data(), listing.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) failed = errno;
        if (got <= 0) break;
        for (ssize_t at = 0; at < got;) {
            const auto* item = reinterpret_cast<const struct dirent64*>(listing.data() + at);
            add(item->d_name);
            at += item->d_reclen;
        }
    }
    sort();
    return failed;
}

void Names::keep_only(const char* name) {
    std::erase_if(names_, [&](const Name& other) {
        return std::strcmp(bytes_.data() + other.at, name) != 0;
    });
}

void Names::add(const char* name) {
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) return;
    const std::size_t length = std::strlen(name);
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < sizeof prefix; ++i) {
        prefix = prefix << 8 | (i < length ? static_cast<unsigned char>(name[i]) : 0U);
    }
    names_.push_back({prefix, bytes_.size()});
    bytes_.insert(bytes_.end(), name, name + length + 1);
}

/// A folder that changes while it is listed may show a name twice.
void Names::sort() {
    const auto text = [&](const Name& name) { return bytes_.data() + name.at; };
    std::sort(names_.begin(), names_.end(), [&](const Name& a, const Name& b) {
        return a.prefix != b.prefix ? a.prefix < b.prefix : std::strcmp(text(a), text(b)) < 0;
    });
    const auto end = std::unique(names_.begin(), names_.end(), [&](const Name& a, const Name& b) {
        return a.prefix == b.prefix && std::strcmp(text(a), text(b)) == 0;
    });
    names_.erase(end, names_.end());
}

}  // namespace holdfast::agent::files

// NBD URIs, as the NBD project's specification names disks of other machines.
#pragma once

#include <algorithm>
#include <string_view>

namespace holdfast::agent {

inline bool is_nbd_uri(std::string_view text) {
    constexpr std::string_view schemes[] = {"nbd://", "nbds://", "nbd+unix://", "nbds+unix://"};
    return std::ranges::any_of(schemes, [&](auto scheme) { return text.starts_with(scheme); });
}

}  // namespace holdfast::agent

#include "vault/snapshot/entry.h"

#include <algorithm>

namespace holdfast::vault {

int compare_paths(std::string_view a, std::string_view b) {
    const auto rank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
    const std::size_t n = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n; ++i) {
        if (a[i] != b[i]) return rank(a[i]) - rank(b[i]);
    }
    if (a.size() == b.size()) return 0;
    return a.size() < b.size() ? -1 : 1;
}

}  // namespace holdfast::vault

#include "agent/config/mistakes.h"

#include <algorithm>

namespace holdfast::agent::config {

Error Mistakes::error() && {
    HF_ASSERT(!all_.empty());
    std::stable_sort(all_.begin(), all_.end(),
                     [](const Mistake& a, const Mistake& b) { return a.place < b.place; });
    std::string text;
    for (std::size_t i = 0; i < std::min(all_.size(), mistakes_max); ++i) {
        const auto& [place, what] = all_[i];
        if (i > 0) text += '\n';
        text += file_ + ':' + std::to_string(place.line) + ':' + std::to_string(place.column) +
                ": " + what;
    }
    if (all_.size() > mistakes_max) {
        text += "\nand " + std::to_string(all_.size() - mistakes_max) + " more mistakes";
    }
    return {Errc::Invalid, std::move(text)};
}

}  // namespace holdfast::agent::config

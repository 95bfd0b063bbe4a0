// Change: a path that is not sure to be as the snapshot before has it.
#pragma once

#include <string>

namespace holdfast::agent::journal {

struct Change {
    std::string path;   // Below the source's folder, as an entry's; "" is the folder itself.
    bool deep = false;  // Nor is anything below it.
    friend bool operator==(const Change&, const Change&) = default;
};

}  // namespace holdfast::agent::journal

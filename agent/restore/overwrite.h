// Overwrite: what becomes of what is there already, where a restore comes into a folder in use.
#pragma once

#include "vault/snapshot/entry.h"

#include <string>
#include <string_view>

namespace holdfast::agent {

enum class Overwrite {
    Refuse,     // Nothing may be there: the folder is new, or empty.
    Never,      // What is there stays.
    IfOlder,    // A file stays if it is as new as the snapshot's, or newer.
    IfChanged,  // What has the kind, size, time and target that the snapshot says stays.
    Always,
};

/// Errors: Invalid (none of "never", "if-older", "if-changed", "always").
Result<Overwrite> parse_overwrite(std::string_view word);

enum class Finding {
    Nothing,
    Same,   // As the snapshot says: it stays, and gets its owner, mode and attributes.
    Stays,  // As it is.
    Goes,   // What the snapshot has comes in its place.
};

/// What is at `name` in the open folder `in`, where `entry` is to come. It is not followed if it is
/// a link. Errors: Io.
Result<Finding> look_at(int in, const std::string& name, const vault::Entry& entry,
                        Overwrite overwrite);

/// Removes what `entry` cannot simply replace: for a folder anything else, for anything else a
/// folder, which must be empty; for what is no file whatever it is. 0, or -1 with errno.
int make_way(int in, const std::string& name, const vault::Entry& entry);

/// What a file is called until it is whole, beside what it replaces; the same for the same name, so
/// that another try takes the place of one that was killed.
std::string unfinished_name(const std::string& name);

}  // namespace holdfast::agent

// Description: a folder tree in lines of text, one for each path, so that what a restore must bring
// back can be committed beside a vault. tests/golden/golden.py writes the same lines.
//
//   TYPE MODE UID GID MTIME LINKS SIZE HASH DEVICE XATTRS PATH TARGET
//
// MODE is octal, MTIME in nanoseconds, LINKS of all but folders; HASH is BLAKE2b-256 over a zero
// byte and the content. What a type does not have is "-". XATTRS are NAME=HEX, joined by ','. Bytes
// of names other than [A-Za-z0-9._/-] are written as %XX; the root's path is "-".
#pragma once

#include <string>
#include <vector>

namespace holdfast::test {

/// Sorted by path, byte by byte.
std::vector<std::string> describe_tree(const std::string& root);

}  // namespace holdfast::test

// Compares two folder trees on everything that a restore promises: names, types, content, holes
// (roughly), owners, modes, mtimes, link targets, device numbers, xattrs with ACLs, hard links.
//
// It shares no code with the scanner or the restore, so that they cannot be wrong together.
#pragma once

#include <string>
#include <vector>

namespace holdfast::test {

struct CompareOptions {
    bool owners = true;
    bool root_itself = true;  // Compare the attributes of the two folders too.
};

/// One line for each difference; empty: they are the same.
std::vector<std::string> compare_trees(const std::string& a, const std::string& b,
                                       const CompareOptions& options = {});

}  // namespace holdfast::test

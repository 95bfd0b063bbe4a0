// Golden tree: a folder with every type of inode and every form of content that the format knows.
// Needs root, for owners, devices and ACLs.
#pragma once

#include <string>

namespace holdfast::test {

void make_golden_tree(const std::string& root);

/// As it is a day later: a page written, files new, gone, renamed and retouched.
void change_golden_tree(const std::string& root);

}  // namespace holdfast::test

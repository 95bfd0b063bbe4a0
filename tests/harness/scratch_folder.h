// ScratchFolder: a folder of a test's own below /tmp (or $TMPDIR), removed with the object; with
// the few words that tests need to fill it. A step that fails stops the test program: it would make
// every check after it worthless.
#pragma once

#include "vault/base/bytes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::test {

class ScratchFolder {
public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::string& path() const { return path_; }
    /// The whole path of `name` in it.
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

    void folder(std::string_view name) const;
    void file(std::string_view name, std::string_view content) const;
    /// `size` bytes that do not compress, the same for one `seed`.
    void random_file(std::string_view name, std::size_t size, std::uint64_t seed) const;

private:
    std::string path_;
};

std::string random_bytes(std::size_t size, std::uint64_t seed);

/// Runs a program to its end. True: it ended with 0.
bool run_program(const std::vector<std::string>& arguments);

}  // namespace holdfast::test

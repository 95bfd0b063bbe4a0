// Folder: a private folder below /tmp, gone when the test ends.
#pragma once

#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace holdfast::test {

class Folder {
public:
    Folder() {
        std::string pattern = "/tmp/hf-config-XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

    void write(const std::string& name, std::string_view text, unsigned mode = 0644) const {
        const std::string path = *this / name;
        REQUIRE(make_folders(path.substr(0, path.rfind('/')), 0755));
        REQUIRE(write_file_durably(path, as_view(text), mode));
    }

private:
    std::string path_;
};

}  // namespace holdfast::test

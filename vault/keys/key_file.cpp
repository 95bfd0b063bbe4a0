#include "vault/keys/key_file.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include <cerrno>

namespace holdfast::vault {
namespace {

constexpr std::string_view key_file_magic = "HFKEY1\r\n";

Result<std::vector<Secret>> parse(View file, std::size_t count) {
    ByteReader in(file);
    const Error damaged{Errc::Corrupt, "it is no key file, or is damaged"};
    if (as_text(in.bytes(key_file_magic.size())) != key_file_magic || in.u8() != count)
        return damaged;
    std::vector<Secret> secrets;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t length = in.u32();
        secrets.push_back(Secret::copy_of(in.bytes(length)));
    }
    if (!in.done()) return damaged;
    return secrets;
}

}  // namespace

Result<void> write_key_file(const std::string& path, const std::vector<const Secret*>& secrets) {
    Buffer file;
    std::size_t bytes = key_file_magic.size() + 1;
    for (const Secret* secret : secrets) bytes += 4 + secret->size();
    file.reserve(bytes);  // So that no copy is left behind by growing.
    ByteWriter writer(file);
    writer.bytes(as_view(key_file_magic));
    writer.u8(static_cast<std::uint8_t>(secrets.size()));
    for (const Secret* secret : secrets) {
        writer.u32(static_cast<std::uint32_t>(secret->size()));
        writer.bytes(secret->view());
    }
    auto done = write_file_durably(path, file, 0600);
    sodium_memzero(file.data(), file.size());
    return done;
}

Result<std::vector<Secret>> read_key_file(const std::string& path, std::size_t count) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return io_error(errno, "read " + path);
    if ((info.st_mode & 077) != 0) {
        return Error{Errc::Denied, path +
                                       ": others may read this key file (chmod 600 it, and "
                                       "think about who did)"};
    }
    Buffer file = HF_TRY(read_file(path, key_file_bytes_max));
    auto secrets = parse(file, count).within(path);
    sodium_memzero(file.data(), file.size());
    return secrets;
}

}  // namespace holdfast::vault

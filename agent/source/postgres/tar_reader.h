// TarReader: takes a tar stream apart as it arrives, in pieces of any size.
//
//   stream  := member* [zero block, zero block]       a server before 15 sends no end marker
//   member  := extension* header content padding      blocks of 512 bytes
//
// It reads what PostgreSQL sends (ustar with PostgreSQL's habits: a slash after a folder's name,
// sizes over 8 GiB in base 256) and what else may be met: the ustar prefix, pax headers (path,
// linkpath, size, mtime, uid, gid), GNU long names. Anything else is refused, never guessed: a
// reader that skips what it does not know may restore something else than what was sent.
//
// Every byte is foreign. Memory: one block, and one extension of at most tar_extension_bytes_max.
#pragma once

#include "vault/base/bytes.h"
#include "vault/snapshot/entry.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::agent::postgres {

constexpr std::size_t tar_block_bytes = 512;
constexpr std::size_t tar_extension_bytes_max = 64 << 10;
constexpr std::uint64_t tar_member_bytes_max = std::uint64_t{1} << 44;  // 16 TiB

/// One member. `path` is relative, without "." or "..", not empty, no slash at its end.
struct TarMember {
    std::string path;
    vault::FileType type = vault::FileType::Regular;  // Regular, Directory or Symlink.
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime_s = 0;
    std::uint64_t size = 0;   // 0 unless Regular.
    std::string link_target;  // Symlinks; any bytes.
};

/// Told of each member in the stream's order: begin, data until size is reached, end.
class TarVisitor {
public:
    virtual ~TarVisitor() = default;
    virtual Result<void> begin(const TarMember& member) = 0;
    /// Regular files only; never empty.
    virtual Result<void> data(View piece) = 0;
    virtual Result<void> end() = 0;
};

class TarReader {
public:
    /// `visitor` must outlive the reader.
    explicit TarReader(TarVisitor& visitor) : visitor_(&visitor) {}

    /// The next bytes. After an error the reader must not be used again.
    /// Errors: Invalid (a header that cannot be read or is over a limit), the visitor's own.
    Result<void> feed(View bytes);

    /// The stream has ended. Errors: Invalid (it was cut inside a member).
    Result<void> finish();

private:
    enum class State { Header, Extension, Content, Padding, End };
    struct Extensions {  // What came ahead of the member's own header.
        std::optional<std::string> path;
        std::optional<std::string> link_target;
        std::optional<std::uint64_t> size;
        std::optional<std::int64_t> mtime_s;
        std::optional<std::uint32_t> uid;
        std::optional<std::uint32_t> gid;
    };

    Result<std::size_t> step(View bytes);
    Result<void> header();
    Result<void> start_extension(char type, std::uint64_t size);
    Result<void> end_extension();
    Result<void> pax(View records);
    Result<void> pax_record(std::string_view key, std::string_view value);
    Result<void> start_member(char type, std::uint64_t size);
    Result<TarMember> member(char type, std::uint64_t size) const;
    Result<void> end_content();
    void pad_after(std::uint64_t size);
    std::string_view field(std::size_t offset, std::size_t length) const;
    std::string header_path() const;
    Error bad(const std::string& what) const;

    TarVisitor* visitor_;
    State state_ = State::Header;
    std::array<std::uint8_t, tar_block_bytes> block_{};
    std::size_t filled_ = 0;          // Bytes of block_ that are there.
    std::uint64_t content_left_ = 0;  // Content, Extension.
    std::size_t padding_left_ = 0;
    char extension_type_ = 0;
    Buffer extension_;
    Extensions ahead_;
    std::uint64_t offset_ = 0;  // Of the stream; for messages.
};

}  // namespace holdfast::agent::postgres

#include "agent/source/postgres/tar_reader.h"

#include "agent/source/postgres/tar_fields.h"

#include <algorithm>

namespace holdfast::agent::postgres {

namespace {

// Offsets and lengths in the ustar header.
struct Field {
    std::size_t offset, length;
};
constexpr Field f_name{0, 100}, f_mode{100, 8}, f_uid{108, 8}, f_gid{116, 8}, f_size{124, 12},
    f_mtime{136, 12}, f_link{157, 100}, f_magic{257, 6}, f_prefix{345, 155};
constexpr std::size_t f_type = 156;

constexpr char pax_type = 'x';
constexpr char gnu_name_type = 'L';
constexpr char gnu_link_type = 'K';
constexpr std::string_view posix_magic{"ustar\0", 6};  // GNU writes "ustar " and keeps no prefix.

bool is_extension(char type) {
    return type == pax_type || type == gnu_name_type || type == gnu_link_type;
}

bool all_zero(View bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string_view until_nul(std::string_view text) {
    return text.substr(0, std::min(text.find('\0'), text.size()));
}

}  // namespace

Error TarReader::bad(const std::string& what) const {
    return {Errc::Invalid, "tar stream at byte " + std::to_string(offset_) + ": " + what};
}

std::string_view TarReader::field(std::size_t offset, std::size_t length) const {
    return as_text(block_).substr(offset, length);
}

Result<void> TarReader::feed(View bytes) {
    while (!bytes.empty()) {
        const std::size_t used = HF_TRY(step(bytes));
        offset_ += used;
        bytes = bytes.subspan(used);
    }
    return {};
}

/// Takes at least one byte, and not past the end of the state it is in.
Result<std::size_t> TarReader::step(View bytes) {
    std::size_t n = bytes.size();
    switch (state_) {
        case State::Header:
            n = std::min(n, tar_block_bytes - filled_);
            std::copy_n(bytes.begin(), n, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
            filled_ += n;
            if (filled_ == tar_block_bytes) HF_TRY(header());
            break;
        case State::Extension:
            n = std::min<std::uint64_t>(n, content_left_);
            extension_.insert(extension_.end(), bytes.begin(),
                              bytes.begin() + static_cast<std::ptrdiff_t>(n));
            content_left_ -= n;
            if (content_left_ == 0) HF_TRY(end_extension());
            break;
        case State::Content:
            n = std::min<std::uint64_t>(n, content_left_);
            HF_TRY(visitor_->data(bytes.first(n)));
            content_left_ -= n;
            if (content_left_ == 0) HF_TRY(end_content());
            break;
        case State::Padding:
            n = std::min(n, padding_left_);
            padding_left_ -= n;
            if (padding_left_ == 0) state_ = State::Header;
            break;
        case State::End:
            if (!all_zero(bytes)) return bad("there is data after the end marker");
            break;
    }
    return n;
}

Result<void> TarReader::header() {
    filled_ = 0;
    if (all_zero(block_)) {
        state_ = State::End;
        return {};
    }
    if (!tar_checksum_fits(block_)) return bad("a header whose checksum does not fit");
    if (!field(f_magic.offset, f_magic.length).starts_with("ustar")) return bad("not ustar");
    const auto size = tar_number(field(f_size.offset, f_size.length));
    if (!size) return bad("a size that is no number");
    const char type = static_cast<char>(block_[f_type]);
    return is_extension(type) ? start_extension(type, *size) : start_member(type, *size);
}

Result<void> TarReader::start_extension(char type, std::uint64_t size) {
    if (size == 0 || size > tar_extension_bytes_max) {
        return bad("an extension of " + std::to_string(size) + " bytes; at most " +
                   std::to_string(tar_extension_bytes_max) + " are taken");
    }
    extension_type_ = type;
    extension_.clear();
    content_left_ = size;
    state_ = State::Extension;
    return {};
}

Result<void> TarReader::end_extension() {
    const std::string_view text = as_text(extension_);
    if (extension_type_ == gnu_name_type) ahead_.path = until_nul(text);
    if (extension_type_ == gnu_link_type) ahead_.link_target = until_nul(text);
    if (extension_type_ == pax_type) HF_TRY(pax(extension_));
    pad_after(extension_.size());
    return {};
}

/// Records of "LENGTH key=value\n", the length counting itself.
Result<void> TarReader::pax(View records) {
    std::string_view rest = as_text(records);
    while (!rest.empty()) {
        const std::size_t space = rest.find(' ');
        const auto length = decimal(rest.substr(0, std::min(space, rest.size())));
        if (space == std::string_view::npos || !length || *length < space + 3 ||
            *length > rest.size() || rest[*length - 1] != '\n') {
            return bad("a pax record that cannot be read");
        }
        const std::string_view record = rest.substr(space + 1, *length - space - 2);
        const std::size_t equals = record.find('=');
        if (equals == std::string_view::npos) return bad("a pax record without '='");
        HF_TRY(pax_record(record.substr(0, equals), record.substr(equals + 1)));
        rest.remove_prefix(*length);
    }
    return {};
}

Result<void> TarReader::pax_record(std::string_view key, std::string_view value) {
    if (key == "path") ahead_.path = value;
    if (key == "linkpath") ahead_.link_target = value;
    if (key.starts_with("GNU.sparse")) return bad("a sparse member");
    if (key != "size" && key != "mtime" && key != "uid" && key != "gid") return {};
    const bool before_1970 = key == "mtime" && value.starts_with('-');
    const auto number = before_1970 ? std::uint64_t{0} : decimal(value);
    if (!number) return bad("a pax number that cannot be read");
    if (key == "size") ahead_.size = number;
    if (key == "mtime") ahead_.mtime_s = static_cast<std::int64_t>(*number);
    if (key != "uid" && key != "gid") return {};
    if (*number > UINT32_MAX) return bad("an owner over 32 bits");
    (key == "uid" ? ahead_.uid : ahead_.gid) = static_cast<std::uint32_t>(*number);
    return {};
}

std::string TarReader::header_path() const {
    const std::string_view name = until_nul(field(f_name.offset, f_name.length));
    if (field(f_magic.offset, f_magic.length) != posix_magic) return std::string(name);
    const std::string_view prefix = until_nul(field(f_prefix.offset, f_prefix.length));
    return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
}

Result<TarMember> TarReader::member(char type, std::uint64_t size) const {
    const auto number = [&](Field f) { return tar_number(field(f.offset, f.length)); };
    const auto mode = number(f_mode), uid = number(f_uid), gid = number(f_gid);
    const auto mtime = number(f_mtime);
    if (!mode || !uid || !gid || !mtime || *uid > UINT32_MAX || *gid > UINT32_MAX) {
        return bad("a header with a field that is no number");
    }
    TarMember member;
    auto path = clean_path(ahead_.path ? *ahead_.path : header_path());
    if (!path) return bad(path.error().message);
    member.path = *std::move(path);
    if (type == '5') member.type = vault::FileType::Directory;
    if (type == '2') member.type = vault::FileType::Symlink;
    member.mode = static_cast<std::uint32_t>(*mode & 07777);
    member.uid = ahead_.uid.value_or(static_cast<std::uint32_t>(*uid));
    member.gid = ahead_.gid.value_or(static_cast<std::uint32_t>(*gid));
    member.mtime_s = ahead_.mtime_s.value_or(static_cast<std::int64_t>(*mtime));
    member.size = size;
    if (type == '2') {
        member.link_target = ahead_.link_target.value_or(
            std::string(until_nul(field(f_link.offset, f_link.length))));
    }
    return member;
}

Result<void> TarReader::start_member(char type, std::uint64_t size) {
    const bool regular = type == '0' || type == '\0';
    if (!regular && type != '5' && type != '2') {
        return bad("a member of type " + to_hex(as_view({&type, 1})) + ", which is not taken");
    }
    size = ahead_.size.value_or(size);
    if (size > tar_member_bytes_max) return bad("a member over 16 TiB");
    if (!regular && size != 0) return bad("a folder or link with content");
    const TarMember next = HF_TRY(member(type, size));
    ahead_ = {};
    HF_TRY(visitor_->begin(next));
    content_left_ = size;
    padding_left_ = 0;
    if (size == 0) return end_content();
    pad_after(size);
    state_ = State::Content;
    return {};
}

Result<void> TarReader::end_content() {
    state_ = padding_left_ == 0 ? State::Header : State::Padding;
    return visitor_->end();
}

void TarReader::pad_after(std::uint64_t size) {
    padding_left_ = (tar_block_bytes - size % tar_block_bytes) % tar_block_bytes;
    state_ = padding_left_ == 0 ? State::Header : State::Padding;
}

Result<void> TarReader::finish() {
    const bool whole = (state_ == State::Header && filled_ == 0) || state_ == State::End;
    if (!whole) return bad("the stream is cut inside a member");
    if (ahead_.path || ahead_.size || ahead_.link_target) return bad("cut after an extension");
    return {};
}

}  // namespace holdfast::agent::postgres

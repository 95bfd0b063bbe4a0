#include "agent/source/postgres/tar_fields.h"

#include "vault/snapshot/entry.h"

namespace holdfast::agent::postgres {

namespace {

constexpr std::size_t checksum_offset = 148;
constexpr std::size_t checksum_length = 8;

std::optional<std::uint64_t> base_256(std::string_view field) {
    std::uint64_t value = static_cast<unsigned char>(field[0]) & 0x7f;
    if (value & 0x40) return std::nullopt;  // Negative.
    for (const char c : field.substr(1)) {
        if (value >> 55 != 0) return std::nullopt;
        value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
}

bool is_blank(char c) {
    return c == ' ' || c == '\0';
}

}  // namespace

std::optional<std::uint64_t> tar_number(std::string_view field) {
    if (field.empty()) return std::nullopt;
    if (static_cast<unsigned char>(field[0]) & 0x80) return base_256(field);
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
    std::uint64_t value = 0;
    for (const char c : field) {
        if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
        value = value << 3 | static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
    const std::size_t point = text.find('.');
    if (point != std::string_view::npos) text = text.substr(0, point);
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

bool tar_checksum_fits(View block) {
    const auto claimed = tar_number(as_text(block.subspan(checksum_offset, checksum_length)));
    if (!claimed) return false;
    std::int64_t unsigned_sum = 0;
    std::int64_t signed_sum = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
        const bool own = i >= checksum_offset && i < checksum_offset + checksum_length;
        const std::uint8_t byte = own ? std::uint8_t{' '} : block[i];
        unsigned_sum += byte;
        signed_sum += static_cast<std::int8_t>(byte);
    }
    const auto sum = static_cast<std::int64_t>(*claimed);
    return sum == unsigned_sum || sum == signed_sum;
}

Result<std::string> clean_path(std::string_view path) {
    const auto refuse = [&](const char* why) {
        std::string shown;
        for (const char c : path.substr(0, 200)) shown += c < ' ' || c > '~' ? '?' : c;
        return Error{Errc::Invalid, "the path \"" + shown + "\" is refused: " + why};
    };
    if (path.find('\0') != std::string_view::npos) return refuse("a NUL byte");
    if (path.size() > vault::path_bytes_max) return refuse("too long");
    if (path.starts_with('/')) return refuse("absolute");
    while (path.starts_with("./")) path.remove_prefix(2);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return refuse("empty");
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        const std::string_view name = path.substr(at, slash - at);
        if (name.empty() || name == "." || name == "..") return refuse("not a plain path");
        at = slash + 1;
    }
    return std::string(path);
}

}  // namespace holdfast::agent::postgres

#include "agent/source/postgres/log_row.h"

namespace holdfast::agent::postgres {
namespace {

constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000;  // 2000-01-01, in Unix time.
constexpr std::size_t log_header_bytes = 25;                     // 'w', start, end, time.
constexpr std::size_t alive_bytes = 18;                          // 'k', end, time, answer.
constexpr std::size_t alive_answer_at = 17;

std::uint64_t big_endian(View bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | bytes[i];
    return value;
}

void put_big_endian(Buffer& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

}  // namespace

Result<LogRow> parse_log_row(View row) {
    const char kind = row.empty() ? '\0' : static_cast<char>(row[0]);
    if (kind == 'w' && row.size() > log_header_bytes) {
        return LogRow{row.subspan(log_header_bytes), big_endian(row.subspan(1)),
                      big_endian(row.subspan(9)), false};
    }
    if (kind == 'k' && row.size() >= alive_bytes) {
        return LogRow{{}, 0, big_endian(row.subspan(1)), row[alive_answer_at] != 0};
    }
    return Error{Errc::Corrupt, "the source sent a message of unknown kind"};
}

/// Written and flushed so far; nothing is ever applied.
Buffer log_answer(std::uint64_t safe, std::int64_t now_ms) {
    Buffer word{'r'};
    put_big_endian(word, safe);
    put_big_endian(word, safe);
    put_big_endian(word, 0);
    put_big_endian(word, static_cast<std::uint64_t>(now_ms * 1000 - postgres_epoch_us));
    word.push_back(0);
    return word;
}

}  // namespace holdfast::agent::postgres

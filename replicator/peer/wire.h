// Wire: the JSON bodies of the peer API (docs/peer-api.yaml), both ways.
//
// Parsers take a partner's text: every list and text has a limit. Errors of all parsers: Invalid.
#pragma once

#include "replicator/pairing/invitation.h"
#include "vault/ledger/chain.h"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t wire_rosters_max = 4096;
constexpr std::size_t wire_records_max = 4096;
constexpr std::size_t wire_names_max = 4096;           // Of one question.
constexpr std::size_t wire_page_max = 10'000;          // Names of one page.
constexpr std::uint64_t wire_body_bytes_max = 64_MiB;  // Of rosters or records.
constexpr std::uint64_t wire_leaves_max = 64;          // Of one answer: 4 MiB.

struct PairCall {
    PairingToken token;
    TrustId trust;
    std::string address;
    std::vector<Buffer> rosters;
};
std::string encode(const PairCall& call);
Result<PairCall> parse_pair_call(View text);

struct RosterChain {
    TrustId trust;
    std::vector<Buffer> rosters;
};
std::string encode(const RosterChain& chain);
Result<RosterChain> parse_roster_chain(View text);

std::string encode_records(const std::vector<Buffer>& records);
Result<std::vector<Buffer>> parse_records(View text);

/// {"FIELD": ["…"]}
std::string encode_names(const char* field, const std::vector<std::string>& names);
Result<std::vector<std::string>> parse_names(View text, const char* field, std::size_t count_max);

struct NamesPage {
    std::vector<std::string> names;
    bool more = false;
};
std::string encode(const NamesPage& page);
Result<NamesPage> parse_names_page(View text);

/// {"list": ID}
std::string encode_list_question(const ListId& list);
Result<ListId> parse_list_question(View text);

struct PeerStatus {
    TrustId trust;
    std::uint64_t roster = 0;
    std::uint64_t bytes = 0;
    std::uint64_t objects = 0;
    std::uint64_t packs = 0;
    std::uint64_t new_bytes_today = 0;
    std::uint64_t agreement = 0;  // 0: none in date.
    std::uint64_t quota_bytes = 0;
    std::vector<vault::ChainHead> chains;
};
std::string encode(const PeerStatus& status);
Result<PeerStatus> parse_peer_status(View text);

}  // namespace holdfast::replicator

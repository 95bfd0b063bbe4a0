#include "agent/source/postgres/tar_reader.h"

#include <catch2/catch.hpp>

#include "agent/source/postgres/layout.h"
#include "agent/source/postgres/tar_fields.h"

#include <cstdio>

using namespace holdfast;
using namespace holdfast::agent::postgres;

namespace {

/// Writes down what it is told: "begin PATH SIZE", the bytes, "end".
class Scribe final : public TarVisitor {
public:
    Result<void> begin(const TarMember& member) override {
        told += "<" + std::string(1, static_cast<char>(member.type)) + " " + member.path + " " +
                std::to_string(member.size) + ">";
        members.push_back(member);
        return {};
    }
    Result<void> data(View piece) override {
        CHECK_FALSE(piece.empty());
        told += as_text(piece);
        return {};
    }
    Result<void> end() override {
        told += "</>";
        return {};
    }
    std::string told;
    std::vector<TarMember> members;
};

std::string octal(std::uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return text;
}

struct HeaderParts {
    std::string name = "base/1/2619";
    std::string size = octal(0, 11) + " ";
    char type = '0';
    std::string link;
    std::string prefix;
    std::string magic = std::string("ustar\0", 6);
    std::string mode = octal(0600, 7) + " ";
};

void seal(std::string& block) {
    block.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    block.replace(148, 7, octal(sum, 6) + '\0');
}

std::string header(const HeaderParts& parts) {
    std::string block(tar_block_bytes, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
        block.replace(at, text.size(), text);
    };
    put(0, parts.name);
    put(100, parts.mode);
    put(108, octal(101, 7) + " ");
    put(116, octal(104, 7) + " ");
    put(124, parts.size);
    put(136, octal(1700000000, 11) + " ");
    block[156] = parts.type;
    put(157, parts.link);
    put(257, parts.magic);
    put(263, "00");
    put(345, parts.prefix);
    seal(block);
    return block;
}

std::string padded(std::string content) {
    content.resize((content.size() + 511) / 512 * 512, '\0');
    return content;
}

std::string member(const std::string& name, const std::string& content, char type = '0') {
    HeaderParts parts;
    parts.name = name;
    parts.size = octal(content.size(), 11) + " ";
    parts.type = type;
    return header(parts) + padded(content);
}

std::string pax(const std::string& key, const std::string& value) {
    std::string record = " " + key + "=" + value + "\n";
    std::size_t length = record.size() + 1;
    while (std::to_string(length).size() + record.size() != length) ++length;
    return member("PaxHeader", std::to_string(length) + record, 'x');
}

const std::string end_marker(1024, '\0');

/// Feeds `stream` in pieces of `piece` bytes; answers what was told, or the error's message.
std::string read(const std::string& stream, std::size_t piece = 1 << 20) {
    Scribe scribe;
    TarReader reader(scribe);
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        const auto fed = reader.feed(as_view(std::string_view(stream).substr(at, piece)));
        if (!fed) return "! " + fed.error().message;
    }
    const auto finished = reader.finish();
    return finished ? scribe.told : "! " + finished.error().message;
}

bool refused(const std::string& stream, const std::string& why) {
    const std::string told = read(stream);
    INFO(told);
    return told.starts_with("! ") && told.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("members are told alike however the stream is cut", "[postgres][tar]") {
    HeaderParts folder;
    folder.name = "base/1/";
    folder.type = '5';
    const std::string stream = member("backup_label", "START") + header(folder) +
                               member("base/1/1", std::string(512, 'p')) + member("empty", "") +
                               member("last", std::string(700, 'x')) + end_marker;
    const std::string whole = read(stream);
    CHECK(whole == "<f backup_label 5>START</><d base/1 0></><f base/1/1 512>" +
                       std::string(512, 'p') + "</><f empty 0></><f last 700>" +
                       std::string(700, 'x') + "</>");
    for (const std::size_t piece : {1U, 7U, 511U, 512U, 513U, 1000U})
        CHECK(read(stream, piece) == whole);
}

TEST_CASE("an end marker may be missing, whole or followed by zeros", "[postgres][tar]") {
    const std::string one = member("a", "b");
    CHECK(read(one) == "<f a 1>b</>");
    CHECK(read(one + end_marker) == "<f a 1>b</>");
    CHECK(read(one + std::string(10240, '\0')) == "<f a 1>b</>");
    CHECK(refused(one + end_marker + one, "after the end marker"));
}

TEST_CASE("a stream cut anywhere but between members is refused", "[postgres][tar]") {
    const std::string stream = member("a", "content") + member("b", std::string(600, 'z'));
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        if (cut == 1024) continue;
        REQUIRE(read(stream.substr(0, cut)).starts_with("! "));
    }
    CHECK(refused(pax("path", "long"), "cut after an extension"));
}

TEST_CASE("attributes, prefixes and extensions reach the member", "[postgres][tar]") {
    Scribe scribe;
    TarReader reader(scribe);
    HeaderParts prefixed;
    prefixed.prefix = "pg_tblspc/1";
    HeaderParts link;
    link.type = '2';
    link.name = "pg_tblspc/16384";
    link.link = "/srv/fast";
    HeaderParts plain;
    plain.mode = octal(0100640, 7) + " ";
    const std::string stream = header(prefixed) + header(link) +
                               pax("path", "global/" + std::string(200, '1')) + header(plain) +
                               member("././@LongLink", std::string("gnu/name\0", 9), 'L') +
                               pax("mtime", "12.75") + pax("uid", "4000000000") + header(plain);
    REQUIRE(reader.feed(as_view(stream)));
    REQUIRE(reader.finish());
    REQUIRE(scribe.members.size() == 4);
    CHECK(scribe.members[0].path == "pg_tblspc/1/base/1/2619");
    CHECK(scribe.members[0].uid == 101);
    CHECK(scribe.members[0].gid == 104);
    CHECK(scribe.members[0].mtime_s == 1700000000);
    CHECK(scribe.members[1].type == vault::FileType::Symlink);
    CHECK(scribe.members[1].link_target == "/srv/fast");
    CHECK(scribe.members[2].path == "global/" + std::string(200, '1'));
    CHECK(scribe.members[2].mode == 0640);
    CHECK(scribe.members[3].path == "gnu/name");
    CHECK(scribe.members[3].mtime_s == 12);
    CHECK(scribe.members[3].uid == 4000000000);
}

TEST_CASE("sizes are read in octal, in base 256 and from pax, within their limit",
          "[postgres][tar]") {
    CHECK(tar_number("00000000017 ") == 15);
    CHECK(tar_number(std::string_view("  17\0\0", 6)) == 15);
    CHECK(tar_number(std::string_view("\x80\0\0\0\x02\0\0\0\0\0\0\0", 12)) == std::uint64_t{2}
                                                                                  << 56);
    CHECK(tar_number(std::string_view("\x80\0\0\0\0\0\0\x02\0\0\0\0", 12)) == std::uint64_t{2}
                                                                                  << 32);
    CHECK_FALSE(tar_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    CHECK_FALSE(tar_number("8"));
    CHECK_FALSE(tar_number("777777777777777777777777"));
    CHECK(read(pax("size", "3") + header({}) + padded("abc")) == "<f base/1/2619 3>abc</>");
    HeaderParts giant;
    giant.size = std::string("\x80\0\0\0\0\x7f\0\0\0\0\0\0", 12);
    CHECK(refused(header(giant), "over 16 TiB"));
}

TEST_CASE("odd headers are refused, not guessed", "[postgres][tar]") {
    HeaderParts parts;
    SECTION("a flipped bit") {
        std::string bent = header(parts);
        bent[3] = static_cast<char>(bent[3] ^ 1);
        CHECK(refused(bent, "checksum"));
    }
    SECTION("no ustar") {
        parts.magic = "custar";
        CHECK(refused(header(parts), "not ustar"));
    }
    SECTION("devices and hard links") {
        for (const char type : {'1', '3', '4', '6', '7', 'g', 'S'}) {
            parts.type = type;
            CHECK(refused(header(parts), "type"));
        }
    }
    SECTION("a folder with content") {
        parts.type = '5';
        parts.size = octal(10, 11) + " ";
        CHECK(refused(header(parts), "with content"));
    }
    SECTION("paths that leave the folder") {
        for (const char* name : {"/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "", "/", "./"}) {
            parts.name = name;
            CHECK(refused(header(parts), "refused"));
        }
    }
    SECTION("pax records that lie about their length") {
        for (const char* record : {"99 path=a\n", "5 path=a\n", "x path=a\n", "11 path_aaa\n",
                                   "10 path=a", "18446744073709551616 a=b\n"}) {
            CHECK(refused(member("PaxHeader", record, 'x') + header(parts), "pax record"));
        }
    }
    SECTION("pax numbers and sparse files") {
        CHECK(refused(pax("size", "-1") + header(parts), "pax number"));
        CHECK(refused(pax("uid", "4294967296") + header(parts), "owner"));
        CHECK(refused(pax("GNU.sparse.major", "1") + header(parts), "sparse"));
        CHECK(refused(pax("path", std::string("a\0b", 3)) + header(parts), "NUL"));
    }
    SECTION("extensions over their limit") {
        CHECK(refused(member("L", std::string(tar_extension_bytes_max + 1, 'a'), 'L'), "at most"));
        CHECK(refused(pax("path", std::string(5000, 'a')) + header(parts), "too long"));
    }
}

TEST_CASE("files of tables and indexes are pages, all else is a stream", "[postgres]") {
    using agent::Shape;
    for (const char* path :
         {"base/1/2619", "base/16384/16385.12", "base/5/1259_fsm", "base/5/1259_vm.1",
          "base/5/16400_init", "global/1262", "pg_tblspc/16390/PG_15_202209061/5/16391"}) {
        INFO(path);
        CHECK(shape_of(path) == Shape::Pages);
    }
    for (const char* path :
         {"PG_VERSION", "base/1/PG_VERSION", "base/1/pg_filenode.map", "global/pg_control",
          "base/1/t3_16384", "base/1/2619_odd", "base/1/2619.", "base/x/1", "base/1/2/3",
          "pg_wal/000000010000000000000001", "pg_xact/0000", "pg_tblspc/16390/PG_15/5/PG_VERSION",
          "pg_tblspc/16390/other/5/16391", "base/1/12345678901"}) {
        INFO(path);
        CHECK(shape_of(path) == Shape::Stream);
    }
}

TEST_CASE("positions, log names and sizes are read as the server writes them", "[postgres]") {
    CHECK(parse_lsn("16/B374D848") == 0x16B374D848);
    for (const char* odd : {"", "16", "/1", "1/", "g/1", "1/123456789", "1/1/1", "-1/1"}) {
        CHECK_FALSE(parse_lsn(odd));
    }
    CHECK(wal_segment_name(3, 0x16B374D848, 16 << 20) == "0000000300000016000000B3");
    CHECK(wal_segment_name(1, 0x140000000, 1 << 30) == "000000010000000100000001");
    CHECK(parse_size("16MB") == 16 << 20);
    CHECK(parse_size("8192") == 8192);
    CHECK_FALSE(parse_size("16 MB"));
    CHECK_FALSE(parse_size("-1"));
    CHECK_FALSE(parse_size(""));
}

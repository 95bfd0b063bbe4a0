// Collector: puts the members of the tar streams into the sink. Contents go there at once, entries
// wait until all are known, since a tar's order is not path order.
#pragma once

#include "agent/source/postgres/copy.h"
#include "agent/source/postgres/tar_reader.h"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::agent::postgres {

class Collector final : public TarVisitor {
public:
    explicit Collector(Sink& sink) : sink_(&sink) {}
    ~Collector() override;  // Drops a content that has not ended.
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    /// What follows lies under `folder`: empty, or "pg_tblspc/OID".
    void enter(std::string folder) { folder_ = std::move(folder); }

    Result<void> begin(const TarMember& member) override;
    Result<void> data(View piece) override;
    Result<void> end() override;

    /// Sorts, adds the folders between, checks. Errors: Corrupt (a file came twice, or lies under
    /// something that is no folder).
    Result<void> arrange();
    /// After arrange(). Size of the regular file `path`; none if there is no such file.
    std::optional<std::uint64_t> size_of(std::string_view path) const;
    /// After arrange(): the names in pg_wal/ that are log files, in order.
    std::vector<std::string> wal_files() const;
    /// After arrange(): adds all entries. Errors: the sink's.
    Result<void> deliver(std::uint32_t root_mode);

    std::uint64_t files() const { return files_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Item {  // An Entry without what a tar never has: a cluster may have millions.
        std::string path;
        vault::FileType type;
        std::uint32_t mode, uid, gid;
        std::int64_t mtime_s;
        std::uint64_t size;
        ContentHandle content;
    };
    const Item* find(std::string_view path) const;
    Result<void> drop_repeats();
    Result<void> add_parents();

    Sink* sink_;
    std::string folder_;
    std::vector<Item> items_;
    bool open_ = false;  // A content is begun and not ended.
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace holdfast::agent::postgres

#include "replicator/tenancy/tenancy.h"

#include "replicator/tenancy/refusal.h"
#include "vault/base/clock.h"
#include "vault/base/fault.h"
#include "vault/ledger/list.h"
#include "vault/ledger/stored_chain.h"
#include "vault/vault_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace holdfast::replicator {
namespace {

namespace fs = std::filesystem;

Result<void> empty_folder(const std::string& path) {
    std::error_code failed;
    fs::remove_all(path, failed);
    if (failed) return Error{Errc::Io, "remove " + path + ": " + failed.message()};
    return make_folders(path);
}

/// Calls visit(size, day of its arrival, is a pack) for each object below `folder`.
template <class Visit>
Result<void> for_each_file(const std::string& folder, Visit visit) {
    std::error_code failed;
    for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        struct stat info {};
        if (::lstat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        const std::int64_t day = static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 / day_ms;
        const bool pack = at->path().string().starts_with(folder + "/pack/");
        visit(static_cast<std::uint64_t>(info.st_size), day, pack);
    }
    if (failed) return Error{Errc::Io, "read " + folder + ": " + failed.message()};
    return {};
}

}  // namespace

Result<void> Tenancy::load(const std::vector<Buffer>& rosters,
                           const std::vector<vault::ChainHead>& witnessed) {
    for (const vault::ChainHead& head : witnessed) witnessed_[head.chain] = head;
    auto loaded = load_all(rosters).within("tenancy of " + owner_.brief());
    if (!loaded) {
        not_ready_ = loaded.error();
        return loaded;
    }
    loaded_ = true;
    return {};
}

Result<void> Tenancy::load_all(const std::vector<Buffer>& rosters) {
    HF_TRY(make_folders(folder_));
    HF_TRY(empty_folder(folder_ + "/incoming"));
    HF_TRY(make_folders(folder_ + "/papers"));
    HF_TRY(open_vault());
    HF_TRY(store_->sweep());
    roster_ = HF_TRY(vault::newest_roster(rosters, owner_));
    for (const Buffer& object : rosters) {
        const std::string name = vault::roster_name(HF_TRY(vault::parse_roster(object)).number);
        HF_TRY(store_->put(name, object));
    }
    HF_TRY(count_all());
    return load_chains();
}

// A vault without its format file was killed while it was made: nothing can be in it yet.
Result<void> Tenancy::open_vault() {
    const std::string folder = vault_folder(folder_);
    auto opened = vault::PosixStore::open(folder);
    if (!opened && opened.error().code == Errc::NotFound) {
        HF_TRY(empty_folder(folder));
        opened = vault::PosixStore::make(folder);
    }
    store_ = HF_TRY(std::move(opened));
    return {};
}

Result<void> Tenancy::count_all() {
    usage_ = {};
    day_ = clock_->wall_ms() / day_ms;
    return for_each_file(vault_folder(folder_),
                         [&](std::uint64_t size, std::int64_t day, bool pack) {
                             usage_.bytes += size;
                             usage_.objects += 1;
                             usage_.packs += pack ? 1 : 0;
                             if (day == day_) usage_.new_bytes_today += size;
                         });
}

Result<void> Tenancy::load_chains() {
    for (const ChainId& id : HF_TRY(vault::stored_chains(*store_))) {
        const auto numbers = HF_TRY(vault::stored_entries(*store_, id));
        auto read = HF_TRY(vault::read_stored_chain(*store_, owner_, id, numbers, may_sign()));
        if (read.broken) return *std::move(read.broken);
        const vault::Chain& chain =
            chains_.insert_or_assign(id, std::move(read.chain)).first->second;
        const auto seen = witnessed_.find(id);
        if (seen == witnessed_.end()) continue;
        const auto ours = chain.check_ours(seen->second);
        if (!ours && ours.error().code == Errc::Denied) {
            return Error{Errc::Corrupt, ours.error().message + " than its files have now"};
        }
    }
    return {};
}

Result<void> Tenancy::take_rosters(const std::vector<Buffer>& rosters) {
    HF_TRY(ready());
    vault::Roster newest = HF_TRY(vault::newest_roster(rosters, owner_));
    for (const Buffer& object : rosters) {
        const std::string name = vault::roster_name(HF_TRY(vault::parse_roster(object)).number);
        if (has(name)) continue;
        HF_TRY(store_->put(name, object));
        note_stored(object.size(), false);
    }
    roster_ = std::move(newest);
    return {};
}

Result<void> Tenancy::ready() const {
    if (!loaded_) return not_ready_;
    return {};
}

bool Tenancy::has(const std::string& name) const {
    return path_exists(store_->folder() + "/" + name);
}

void Tenancy::roll_day() {
    const std::int64_t today = clock_->wall_ms() / day_ms;
    if (today == day_) return;
    day_ = today;
    usage_.new_bytes_today = 0;
}

Result<void> Tenancy::check_room(std::uint64_t bytes, const Terms& terms) {
    roll_day();
    if (usage_.bytes + bytes > terms.quota_bytes || usage_.objects >= terms.objects_max) {
        return refuse(Refusal::OverQuota, "agreement " + std::to_string(terms.agreement) +
                                              " allows " + std::to_string(terms.quota_bytes) +
                                              " bytes in " + std::to_string(terms.objects_max) +
                                              " objects; " + std::to_string(usage_.bytes) + " in " +
                                              std::to_string(usage_.objects) + " are here");
    }
    if (terms.new_bytes_a_day != 0 && usage_.new_bytes_today + bytes > terms.new_bytes_a_day) {
        return refuse(Refusal::OverDaily, "agreement " + std::to_string(terms.agreement) +
                                              " allows " + std::to_string(terms.new_bytes_a_day) +
                                              " new bytes a day; go on tomorrow");
    }
    return {};
}

void Tenancy::note_stored(std::uint64_t bytes, bool pack) {
    roll_day();
    usage_.bytes += bytes;
    usage_.new_bytes_today += bytes;
    usage_.objects += 1;
    usage_.packs += pack ? 1 : 0;
}

Result<std::optional<PackUpload>> Tenancy::start_pack(const PackId& id, std::uint64_t length,
                                                      const Terms& terms) {
    HF_TRY(ready());
    if (has(vault::pack_name(id))) return std::optional<PackUpload>{};
    HF_TRY(check_room(length, terms));
    return std::optional(HF_TRY(PackUpload::start(folder_ + "/incoming", id, length)));
}

Result<Stored> Tenancy::put_pack(PackUpload upload, const Terms& terms) {
    HF_TRY(ready());
    const std::string name = vault::pack_name(upload.id());
    if (has(name)) return Stored::Was;
    HF_TRY(check_room(upload.length(), terms));
    const std::string target = store_->folder() + "/" + name;
    const std::string parent = target.substr(0, target.rfind('/'));
    HF_TRY(make_folders(parent));
    const std::string from = upload.release();
    fault_point("pack received, not yet in its place");
    if (::rename(from.c_str(), target.c_str()) != 0) {
        const int why = errno;
        ::unlink(from.c_str());
        return io_error(why, "rename " + from + " to " + target);
    }
    HF_TRY(sync_folder(parent));
    note_stored(upload.length(), true);
    fault_point("pack in its place");
    return Stored::New;
}

Result<std::vector<std::string>> Tenancy::missing(const std::vector<std::string>& names) const {
    HF_TRY(ready());
    std::vector<std::string> out;
    for (const std::string& name : names) {
        HF_TRY(vault::check_object_name(name));
        if (!has(name)) out.push_back(name);
    }
    return out;
}

Result<std::vector<std::string>> Tenancy::list(const std::string& prefix, const std::string& after,
                                               std::size_t limit) const {
    HF_TRY(ready());
    if (!prefix.empty()) {
        if (prefix.back() != '/') return Error{Errc::Invalid, "a prefix is a folder, with its '/'"};
        HF_TRY(vault::check_object_name(prefix.substr(0, prefix.size() - 1)));
    }
    std::vector<std::string> names;
    const Error enough{Errc::Interrupted, "the page is full"};
    auto walked = store_->list(prefix, [&](const std::string& name) -> Result<void> {
        if (name <= after || name == "format") return {};
        names.push_back(name);
        if (names.size() >= limit) return enough;
        return {};
    });
    if (!walked && walked.error().code != Errc::Interrupted) return std::move(walked).error();
    return names;
}

Result<ListCount> Tenancy::count(const ListId& id) const {
    HF_TRY(ready());
    if (!has(vault::list_name(id))) {
        return refuse(Refusal::ListMissing, "list " + id.hex() + " is not here");
    }
    const auto list = HF_TRY(vault::resolve_list(id, [&](const ListId& one) {
        return store_->get_all(vault::list_name(one), tenancy_list_bytes_max);
    }));
    ListCount counted;
    for (const PackId& pack : list.packs) {
        const auto size = store_->size(vault::pack_name(pack));
        if (!size && size.error().code == Errc::NotFound) {
            return refuse(Refusal::PacksMissing, "pack " + pack.hex() + " is not here any more");
        }
        counted.bytes += HF_TRY(size);
        ++counted.packs;
    }
    return counted;
}

Result<Usage> Tenancy::usage() {
    HF_TRY(ready());
    roll_day();
    return usage_;
}

Result<std::vector<vault::ChainHead>> Tenancy::heads() const {
    HF_TRY(ready());
    std::vector<vault::ChainHead> out;
    for (const auto& [id, chain] : chains_) out.push_back(chain.head());
    return out;
}

std::optional<vault::ChainHead> Tenancy::head_of_entry(const std::string& name) const {
    if (!name.starts_with("ledger/")) return std::nullopt;
    const auto id = ChainId::from_text(name.substr(7, 64));
    if (!id || !chains_.contains(*id)) return std::nullopt;
    return chains_.at(*id).head();
}

}  // namespace holdfast::replicator

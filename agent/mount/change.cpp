#include "agent/mount/change.h"

#include "vault/snapshot/entry.h"

#include <type_traits>

namespace holdfast::agent {
namespace {

// One list of members serves both directions: pass() is given a Writing or a Reading.
class Writing {
public:
    explicit Writing(Buffer& out) : out_(out) {}

    void number(std::uint64_t& v) { out_.varint(v); }
    void number(std::uint32_t& v) { out_.varint(v); }
    void flag(bool& v) { out_.u8(v ? 1 : 0); }
    void time(std::int64_t& v) { out_.svarint(v); }
    void text(std::string& v, std::size_t) { out_.text(v); }
    void value(Buffer& v) { out_.blob(v); }

    template <class List, class Item>
    void list(List& items, Item item) {
        out_.varint(items.size());
        for (auto& entry : items) item(entry);
    }
    void xattrs(Xattrs& v) {
        out_.varint(v.size());
        for (auto& [name, data] : v) {
            out_.text(name);
            out_.blob(data);
        }
    }

private:
    ByteWriter out_;
};

class Reading {
public:
    explicit Reading(View in) : in_(in) {}

    void number(std::uint64_t& v) { v = in_.varint(); }
    void number(std::uint32_t& v) {
        const std::uint64_t wide = in_.varint();
        if (wide > UINT32_MAX) in_.fail();
        v = static_cast<std::uint32_t>(wide);
    }
    void flag(bool& v) { v = in_.u8() != 0; }
    void time(std::int64_t& v) { v = in_.svarint(); }
    void text(std::string& v, std::size_t max) { v = in_.text(max); }
    void value(Buffer& v) {
        const View raw = in_.blob(vault::xattr_bytes_max);
        v.assign(raw.begin(), raw.end());
    }

    template <class List, class Item>
    void list(List& items, Item item) {
        const std::uint64_t n = in_.varint();
        for (std::uint64_t i = 0; i < n && in_.ok(); ++i) item(items.emplace_back());
    }
    void xattrs(Xattrs& v) {
        const std::uint64_t n = in_.varint();
        for (std::uint64_t i = 0; i < n && in_.ok(); ++i) {
            std::string name = in_.text(name_bytes_max);
            value(v[std::move(name)]);
        }
    }

    bool done() const { return in_.done(); }

private:
    ByteReader in_;
};

template <class Way>
void pass(Way& way, NodeMade& c) {
    way.number(c.node);
    way.number(c.parent);
    way.text(c.name, name_bytes_max);
    way.number(c.mode);
    way.number(c.uid);
    way.number(c.gid);
    way.number(c.device);
    way.text(c.link_target, link_target_bytes_max);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, NameAdded& c) {
    way.number(c.node);
    way.number(c.parent);
    way.text(c.name, name_bytes_max);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, NameRemoved& c) {
    way.number(c.parent);
    way.text(c.name, name_bytes_max);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, Renamed& c) {
    way.number(c.parent);
    way.text(c.name, name_bytes_max);
    way.number(c.new_parent);
    way.text(c.new_name, name_bytes_max);
    way.flag(c.exchange);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, AttributesSet& c) {
    way.number(c.node);
    way.number(c.mode);
    way.number(c.uid);
    way.number(c.gid);
    way.time(c.atime_ns);
    way.time(c.mtime_ns);
    way.time(c.ctime_ns);
}

template <class Way>
void pass(Way& way, Resized& c) {
    way.number(c.node);
    way.number(c.size);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, XattrSet& c) {
    way.number(c.node);
    way.text(c.name, name_bytes_max);
    way.value(c.value);
    way.time(c.time_ns);
}

template <class Way>
void pass(Way& way, XattrRemoved& c) {
    way.number(c.node);
    way.text(c.name, name_bytes_max);
    way.time(c.time_ns);
}

template <class Way>
void pass_runs(Way& way, std::vector<BlockRun>& runs) {
    way.list(runs, [&](BlockRun& run) {
        way.number(run.first);
        way.number(run.count);
    });
}

template <class Way>
void pass(Way& way, Wrote& c) {
    way.number(c.node);
    way.number(c.size);
    way.time(c.mtime_ns);
    way.time(c.ctime_ns);
    pass_runs(way, c.blocks);
}

template <class Way>
void pass(Way& way, NodeState& c) {
    way.number(c.node);
    way.number(c.mode);
    way.number(c.uid);
    way.number(c.gid);
    way.number(c.device);
    way.number(c.links);
    way.number(c.size);
    way.number(c.lower_size);
    way.time(c.atime_ns);
    way.time(c.mtime_ns);
    way.time(c.ctime_ns);
    way.text(c.link_target, link_target_bytes_max);
    way.xattrs(c.xattrs);
    pass_runs(way, c.blocks);
}

template <class Way>
void pass(Way& way, FolderState& c) {
    way.number(c.node);
    way.number(c.parent);
    way.list(c.names, [&](std::pair<std::string, NodeId>& entry) {
        way.text(entry.first, name_bytes_max);
        way.number(entry.second);
    });
}

template <std::size_t kind = 0>
Change change_of(std::size_t wanted) {
    if constexpr (kind + 1 < std::variant_size_v<Change>) {
        if (wanted != kind) return change_of<kind + 1>(wanted);
    }
    return Change(std::in_place_index<kind>);
}

}  // namespace

Buffer encode_change(const Change& change) {
    Buffer out;
    out.push_back(static_cast<std::uint8_t>(change.index()));
    Writing writing(out);
    Change copy = change;  // The member lists are shared with reading, which needs them mutable.
    std::visit([&](auto& c) { pass(writing, c); }, copy);
    return out;
}

Result<Change> decode_change(View bytes) {
    if (bytes.empty() || bytes[0] >= std::variant_size_v<Change>) {
        return Error{Errc::Corrupt, "a change of unknown kind"};
    }
    Change change = change_of(bytes[0]);
    Reading reading(bytes.subspan(1));
    std::visit([&](auto& c) { pass(reading, c); }, change);
    if (!reading.done()) return Error{Errc::Corrupt, "a change that does not fill its record"};
    return change;
}

}  // namespace holdfast::agent

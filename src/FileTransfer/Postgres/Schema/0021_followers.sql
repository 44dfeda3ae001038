-- The clusters that this one ships its feed to, by the names that its operators gave them. The token is shown to them, so it is kept as it is.
-- buckets: only files of these, in hex, separated by commas; '' = of all. cluster_id: whose the URL turned out to be.
CREATE TABLE filetransfer.followers (
    name        text PRIMARY KEY,
    url         text NOT NULL,
    token       text,
    buckets     text NOT NULL DEFAULT '',
    paused      boolean NOT NULL DEFAULT false,
    cluster_id  text
);

-- acknowledged: every sequence of the history feed_epoch up to it is applied there. rebuild_due: it is not shipped what follows, it is compared.
CREATE TABLE filetransfer.follower_bins (
    follower      text NOT NULL REFERENCES filetransfer.followers ON DELETE CASCADE,
    bin           smallint NOT NULL CHECK (bin BETWEEN 0 AND 15),
    feed_epoch    uuid,
    acknowledged  bigint NOT NULL DEFAULT 0,
    rebuild_due   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (follower, bin)
);

-- Where the nodes of a cluster that ships to this one answer, as it says; null for one that is pulled.
ALTER TABLE filetransfer.upstreams ADD COLUMN urls text[];

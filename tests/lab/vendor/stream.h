/* SPDX-License-Identifier: GPL-2.0-only */
/* The data of a migration, behind a file; the caller holds the device's lock. */
#ifndef PINSCOPE_VENDOR_STREAM_H
#define PINSCOPE_VENDOR_STREAM_H

#include <linux/types.h>

struct file;
struct vendor;

/* Begins a stream and gives a reference to its file, or an ERR_PTR. */
struct file *vendor_stream_save(struct vendor *vendor);
struct file *vendor_stream_load(struct vendor *vendor);

/* Adds what the device's state is now, if it is not in the stream yet, and its end. */
void vendor_stream_finish(struct vendor *vendor);
/* Takes the state over that was written; -EINVAL, if it is not a whole one. */
int vendor_stream_take(struct vendor *vendor);
/* Ends the stream: its file answers ENODEV from now on. */
void vendor_stream_end(struct vendor *vendor);
/* Bytes that are to be read until the device has stopped and all is saved. */
size_t vendor_stream_length(struct vendor *vendor);

#endif

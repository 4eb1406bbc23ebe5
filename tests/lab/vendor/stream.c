// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of a migration: the device's state, which is the data of its command
 * region, as records. Each has a head; the last one has nothing behind it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vendor.h"
#include "stream.h"

#define RECORD_MAGIC	0x524e4950 /* "PINR" */
#define RECORD_DATA	1
#define RECORD_END	2

struct head {
	__u32 magic;
	__u32 kind;
	__u64 length;		/* of what follows */
};

#define DATA_RECORD (sizeof(struct head) + PINSCOPE_VENDOR_DATA)
#define ROOM (2 * DATA_RECORD + sizeof(struct head))

struct vendor_stream {
	struct vendor *vendor;
	struct file *file;
	bool saves;
	bool ended;
	bool whole;		/* the end is in the buffer, or was read from it */
	size_t first;		/* bytes of the first record that are still there */
	u64 changes;		/* the device's, when its state was last taken */
	size_t begin, end;	/* in the buffer */
	u8 buffer[ROOM];
};

static void append(struct vendor_stream *stream, const void *bytes, size_t length)
{
	memcpy(stream->buffer + stream->end, bytes, length);
	stream->end += length;
}

static void append_record(struct vendor_stream *stream, u32 kind,
			  const void *data, size_t length)
{
	struct head head = {
		.magic = RECORD_MAGIC, .kind = kind, .length = length,
	};

	memmove(stream->buffer, stream->buffer + stream->begin,
		stream->end - stream->begin);
	stream->end -= stream->begin;
	stream->begin = 0;
	append(stream, &head, sizeof(head));
	append(stream, data, length);
}

static bool has_news(struct vendor_stream *stream)
{
	return !stream->whole && stream->changes != stream->vendor->changes;
}

/* At most one record of data is in the buffer besides: there is room. */
static void append_state(struct vendor_stream *stream)
{
	struct vendor *vendor = stream->vendor;

	append_record(stream, RECORD_DATA, vendor->region->data,
		      PINSCOPE_VENDOR_DATA);
	stream->changes = vendor->changes;
}

void vendor_stream_finish(struct vendor *vendor)
{
	struct vendor_stream *stream = vendor->stream;

	if (!stream || !stream->saves)
		return;
	if (has_news(stream))
		append_state(stream);
	append_record(stream, RECORD_END, NULL, 0);
	stream->whole = true;
}

size_t vendor_stream_length(struct vendor *vendor)
{
	struct vendor_stream *stream = vendor->stream;

	if (!stream || !stream->saves)
		return DATA_RECORD + sizeof(struct head);
	return stream->end - stream->begin +
	       (has_news(stream) ? DATA_RECORD : 0) +
	       (stream->whole ? 0 : sizeof(struct head));
}

static ssize_t stream_read(struct file *file, char __user *buf, size_t count,
			   loff_t *ppos)
{
	struct vendor_stream *stream = file->private_data;
	ssize_t ret;

	mutex_lock(&stream->vendor->lock);
	if (stream->ended) {
		ret = -ENODEV;
		goto out;
	}
	if (stream->begin == stream->end && has_news(stream))
		append_state(stream);
	ret = min(count, stream->end - stream->begin);
	if (!ret) {
		/* An end for the time being, while the device runs. */
		ret = stream->whole || !count ? 0 : -ENOMSG;
		goto out;
	}
	if (copy_to_user(buf, stream->buffer + stream->begin, ret)) {
		ret = -EFAULT;
		goto out;
	}
	stream->begin += ret;
	stream->first -= min_t(size_t, ret, stream->first);
out:
	mutex_unlock(&stream->vendor->lock);
	return ret;
}

static bool is_sound(const struct head *head)
{
	if (head->magic != RECORD_MAGIC)
		return false;
	return head->kind == RECORD_END ? head->length == 0 :
	       head->kind == RECORD_DATA && head->length == PINSCOPE_VENDOR_DATA;
}

static ssize_t stream_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct vendor_stream *stream = file->private_data;
	struct head *head = (struct head *)stream->buffer;
	size_t wanted = sizeof(*head);
	ssize_t ret;

	mutex_lock(&stream->vendor->lock);
	if (stream->ended) {
		ret = -ENODEV;
		goto out;
	}
	/* No more than to the end of a record at a time, or of its head. */
	if (stream->end == DATA_RECORD)
		stream->end = 0;
	if (stream->end >= sizeof(*head))
		wanted += head->length;
	ret = min(count, wanted - stream->end);
	if (stream->whole && count) {
		ret = -EINVAL;
	} else if (copy_from_user(stream->buffer + stream->end, buf, ret)) {
		ret = -EFAULT;
	} else if (ret) {
		stream->end += ret;
		if (stream->end == sizeof(*head)) {
			if (is_sound(head)) {
				stream->whole = head->kind == RECORD_END;
			} else {
				stream->end = 0;
				stream->first = 0;
				ret = -EINVAL;
			}
		}
		if (stream->end == DATA_RECORD)
			stream->first = 1; /* there is a state */
	}
out:
	mutex_unlock(&stream->vendor->lock);
	return ret;
}

int vendor_stream_take(struct vendor *vendor)
{
	struct vendor_stream *stream = vendor->stream;

	if (!stream || !stream->whole || !stream->first)
		return -EINVAL;
	/* The end's head lies over that of the last record of data only. */
	memcpy(vendor->region->data, stream->buffer + sizeof(struct head),
	       PINSCOPE_VENDOR_DATA);
	vendor->changes++;
	return 0;
}

#ifdef VFIO_HAS_PRE_COPY
static long precopy_info(struct vendor_stream *stream, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct vfio_precopy_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || stream->whole || !stream->saves)
		return -EINVAL;
	info.flags = 0;
	info.initial_bytes = stream->first;
	info.dirty_bytes = stream->end - stream->begin - stream->first +
			   (has_news(stream) ? DATA_RECORD : 0);
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
#endif

static long stream_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vendor_stream *stream = file->private_data;
	long ret = -ENOTTY;

	mutex_lock(&stream->vendor->lock);
	if (stream->ended)
		ret = -ENODEV;
#ifdef VFIO_HAS_PRE_COPY
	else if (cmd == VFIO_MIG_GET_PRECOPY_INFO)
		ret = precopy_info(stream, (void __user *)arg);
#endif
	mutex_unlock(&stream->vendor->lock);
	return ret;
}

static int stream_release(struct inode *inode, struct file *file)
{
	struct vendor_stream *stream = file->private_data;

	put_device(&stream->vendor->vdev->device);
	kfree(stream);
	return 0;
}

static const struct file_operations save_fops = {
	.owner		= THIS_MODULE,
	.read		= stream_read,
	.unlocked_ioctl	= stream_ioctl,
	.release	= stream_release,
};

static const struct file_operations load_fops = {
	.owner		= THIS_MODULE,
	.write		= stream_write,
	.unlocked_ioctl	= stream_ioctl,
	.release	= stream_release,
};

static struct file *make(struct vendor *vendor, bool saves)
{
	struct vendor_stream *stream;
	struct file *file;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	file = anon_inode_getfile("pinscope-migration",
				  saves ? &save_fops : &load_fops, stream,
				  saves ? O_RDONLY : O_WRONLY);
	if (IS_ERR(file)) {
		kfree(stream);
		return file;
	}
	stream_open(file->f_inode, file);
	stream->vendor = vendor;
	stream->saves = saves;
	stream->file = file;
	/* The file may outlive the device, and what it locks must be there. */
	get_device(&vendor->vdev->device);
	vendor->stream = stream;
	return get_file(file);
}

struct file *vendor_stream_save(struct vendor *vendor)
{
	struct file *file = make(vendor, true);

	if (!IS_ERR(file)) {
		append_state(vendor->stream);
		vendor->stream->first = DATA_RECORD;
	}
	return file;
}

struct file *vendor_stream_load(struct vendor *vendor)
{
	return make(vendor, false);
}

void vendor_stream_end(struct vendor *vendor)
{
	struct vendor_stream *stream = vendor->stream;

	if (!stream)
		return;
	vendor->stream = NULL;
	stream->ended = true;
	fput(stream->file);
}

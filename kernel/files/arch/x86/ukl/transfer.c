// SPDX-License-Identifier: GPL-2.0-only
/*
 * read and write on pipes, sockets and character devices, in one function each: what the direct entries of these two
 * calls lead to. It is the way of fs/read_write.c (ksys_read, vfs_read, new_sync_read) for files without a shared
 * position, with the compiler seeing all of it; whatever is not as plain as that goes the usual way.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/ptrace.h>
#include <linux/sched/xacct.h>
#include <linux/security.h>
#include <linux/syscalls.h>
#include <linux/uio.h>

#include <asm/ukl.h>

#include "compat.h"

long __x64_sys_read(const struct pt_regs *regs);
long __x64_sys_write(const struct pt_regs *regs);

/* fdget, without a call where no other thread shares the table (fs/file.c, __fget_light). */
static __always_inline struct fd ukl_fdget(unsigned int number)
{
	struct files_struct *files = current->files;
	struct file *file;

	if (unlikely(atomic_read(&files->count) != 1))
		return fdget(number);
	file = files_lookup_fd_raw(files, number);
	if (!file || unlikely(file->f_mode & FMODE_PATH))
		return EMPTY_FD;
	return BORROWED_FD(file);
}

/*
 * Is this a plain transfer? Not on regular files and folders (FMODE_ATOMIC_POS: their position has a lock), not where
 * Linux has an error to report. A stream has no position (pos stays 0).
 */
static __always_inline bool ukl_is_plain(struct file *file, fmode_t wanted, const void __user *buffer, size_t count,
					 loff_t *pos)
{
	if ((file->f_mode & (wanted | FMODE_ATOMIC_POS)) != wanted || count > MAX_RW_COUNT ||
	    !access_ok(buffer, count))
		return false;
	if (file->f_mode & FMODE_STREAM)
		return true;
	*pos = file->f_pos;
	return *pos >= 0 && (loff_t)(*pos + count) >= 0;
}

/* As init_sync_kiocb. A stream ends at no block device, which is what an I/O priority would be for. */
static __always_inline struct kiocb ukl_stream_kiocb(struct file *file)
{
	return (struct kiocb) { .ki_filp = file, .ki_flags = file->f_iocb_flags };
}

/* -EIOCBQUEUED, which no call returns to its program, if this is not for us. */
static __always_inline long ukl_plain_read(struct file *file, char __user *buffer, size_t count)
{
	loff_t pos = 0;
	long result;

	if (!ukl_is_plain(file, FMODE_READ | FMODE_CAN_READ, buffer, count, &pos))
		return -EIOCBQUEUED;
	if (file->f_mode & FMODE_STREAM) {
		struct kiocb kiocb = ukl_stream_kiocb(file);
		struct iov_iter iter;

		if (file->f_op->read || security_file_permission(file, MAY_READ))
			return -EIOCBQUEUED;
		iov_iter_ubuf(&iter, ITER_DEST, buffer, count);
		result = file->f_op->read_iter(&kiocb, &iter);
	} else {
		if (!file->f_op->read || security_file_permission(file, MAY_READ))
			return -EIOCBQUEUED;
		result = file->f_op->read(file, buffer, count, &pos);
		if (result >= 0)
			file->f_pos = pos;
	}
	if (result > 0) {
		fsnotify_access(file);
		add_rchar(current, result);
	}
	inc_syscr(current);
	return result;
}

static __always_inline long ukl_plain_write(struct file *file, const char __user *buffer, size_t count)
{
	loff_t pos = 0;
	long result;

	if (!ukl_is_plain(file, FMODE_WRITE | FMODE_CAN_WRITE, buffer, count, &pos))
		return -EIOCBQUEUED;
	if (file->f_mode & FMODE_STREAM) {
		struct kiocb kiocb = ukl_stream_kiocb(file);
		struct iov_iter iter;

		if (file->f_op->write || security_file_permission(file, MAY_WRITE))
			return -EIOCBQUEUED;
		iov_iter_ubuf(&iter, ITER_SOURCE, (void __user *)buffer, count);
		result = file->f_op->write_iter(&kiocb, &iter);
	} else {
		if (!file->f_op->write || security_file_permission(file, MAY_WRITE))
			return -EIOCBQUEUED;
		result = file->f_op->write(file, buffer, count, &pos);
		if (result >= 0)
			file->f_pos = pos;
	}
	if (result > 0) {
		fsnotify_modify(file);
		add_wchar(current, result);
	}
	inc_syscw(current);
	return result;
}

__visible long ukl_read(const struct pt_regs *regs)
{
	struct fd descriptor = ukl_fdget(regs->di);
	long result = -EIOCBQUEUED;

	if (likely(fd_file(descriptor))) {
		result = ukl_plain_read(fd_file(descriptor), (char __user *)regs->si, regs->dx);
		fdput(descriptor);
	}
	return unlikely(result == -EIOCBQUEUED) ? __x64_sys_read(regs) : result;
}

__visible long ukl_write(const struct pt_regs *regs)
{
	struct fd descriptor = ukl_fdget(regs->di);
	long result = -EIOCBQUEUED;

	if (likely(fd_file(descriptor))) {
		result = ukl_plain_write(fd_file(descriptor), (const char __user *)regs->si, regs->dx);
		fdput(descriptor);
	}
	return unlikely(result == -EIOCBQUEUED) ? __x64_sys_write(regs) : result;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP send and receive straight into the socket: what read, write, writev, sendto, recvfrom and sendmsg become
 * for an image that asks for it (UKL_CALL_SHORTCUT). Between the program and tcp_sendmsg or tcp_recvmsg stand only
 * the file descriptor and the buffer's check. Whatever is not a plain transfer on a TCP socket goes the usual way.
 *
 * Arguments have the widths that the calls themselves give them (SYSCALL_DEFINE in fs/read_write.c, net/socket.c):
 * descriptors, flags and counts of vectors are 32 bits of their register, sizes all 64. A size or count that Linux
 * refuses or cuts short in its own way is left to it.
 *
 * What is left out on purpose: inotify and fanotify events for sockets, and the per-task I/O counters.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/socket.h>
#include <linux/syscalls.h>
#include <linux/uio.h>

#include <net/sock.h>
#include <net/tcp.h>

#include <asm/ukl.h>

#include "compat.h"

/* The usual ways. */
#define __SYSCALL(nr, function) long __x64_##function(const struct pt_regs *regs);
#define __SYSCALL_NORETURN(nr, function)
#include <asm/syscalls_64.h>
#undef __SYSCALL_NORETURN
#undef __SYSCALL

/* The flags a shortcut understands; others (MSG_OOB, MSG_ZEROCOPY, MSG_ERRQUEUE …) have Linux's own path. */
#define UKL_SEND_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE)
#define UKL_RECEIVE_FLAGS (MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL)

/*
 * The TCP socket behind a descriptor, or NULL with nothing held. Put with fdput. A protocol that stands on TCP (kernel
 * TLS, sockmap) has put its own functions into the socket, perhaps only into one direction: `sends` says which is
 * wanted.
 */
static struct sock *ukl_tcp_socket(unsigned int number, struct fd *descriptor, bool sends)
{
	struct socket *socket;
	struct proto *protocol;

	*descriptor = fdget(number);
	if (!fd_file(*descriptor))
		return NULL;
	socket = sock_from_file(fd_file(*descriptor));
	if (socket && socket->sk) {
		protocol = READ_ONCE(socket->sk->sk_prot);
		if (sends ? protocol->sendmsg == tcp_sendmsg : protocol->recvmsg == tcp_recvmsg)
			return socket->sk;
	}
	fdput(*descriptor);
	return NULL;
}

static unsigned int ukl_message_flags(struct fd descriptor, unsigned int flags)
{
	return fd_file(descriptor)->f_flags & O_NONBLOCK ? flags | MSG_DONTWAIT : flags;
}

/* Both return -ENOTSOCK, which neither function itself returns on a TCP socket, if this is not for a shortcut. */
static long ukl_tcp_send(unsigned int number, const char __user *buffer, size_t size, unsigned int flags)
{
	struct msghdr message = {};
	struct fd descriptor;
	struct sock *sk = ukl_tcp_socket(number, &descriptor, true);
	long result;

	if (!sk)
		return -ENOTSOCK;
	result = import_ubuf(ITER_SOURCE, (void __user *)buffer, size, &message.msg_iter);
	if (!result) {
		message.msg_flags = ukl_message_flags(descriptor, flags);
		result = tcp_sendmsg(sk, &message, iov_iter_count(&message.msg_iter));
	}
	fdput(descriptor);
	return result;
}

static long ukl_tcp_receive(unsigned int number, char __user *buffer, size_t size, unsigned int flags)
{
	struct msghdr message = {};
	struct fd descriptor;
	struct sock *sk = ukl_tcp_socket(number, &descriptor, false);
	int address_length = 0;
	long result;

	if (!sk)
		return -ENOTSOCK;
	result = import_ubuf(ITER_DEST, buffer, size, &message.msg_iter);
	if (!result)
		result = tcp_recvmsg(sk, &message, iov_iter_count(&message.msg_iter),
				     ukl_message_flags(descriptor, flags), &address_length);
	fdput(descriptor);
	return result;
}

/* `ends_early`: without a byte to send there is nothing to do, not even to look at the socket. */
static long ukl_tcp_send_vector(unsigned int number, const struct iovec __user *vectors, unsigned int count,
				unsigned int flags, bool ends_early)
{
	struct iovec fast[UIO_FASTIOV], *vector = fast;
	struct msghdr message = {};
	struct fd descriptor;
	struct sock *sk = ukl_tcp_socket(number, &descriptor, true);
	long result;

	if (!sk)
		return -ENOTSOCK;
	result = import_iovec(ITER_SOURCE, vectors, count, UIO_FASTIOV, &vector, &message.msg_iter);
	if (!result && ends_early) {
		kfree(vector);
	} else if (result >= 0) {
		message.msg_flags = ukl_message_flags(descriptor, flags);
		result = tcp_sendmsg(sk, &message, iov_iter_count(&message.msg_iter));
		kfree(vector);
	}
	fdput(descriptor);
	return result;
}

__visible long ukl_tcp_read(const struct pt_regs *regs)
{
	long result = -ENOTSOCK;

	/* A read of nothing is 0 without looking at the socket; the usual path knows. */
	if (regs->dx && regs->dx <= MAX_RW_COUNT)
		result = ukl_tcp_receive(regs->di, (char __user *)regs->si, regs->dx, 0);
	return result == -ENOTSOCK ? ukl_read(regs) : result;
}

__visible long ukl_tcp_write(const struct pt_regs *regs)
{
	long result = -ENOTSOCK;

	if (regs->dx <= MAX_RW_COUNT)
		result = ukl_tcp_send(regs->di, (const char __user *)regs->si, regs->dx, 0);
	return result == -ENOTSOCK ? ukl_write(regs) : result;
}

__visible long ukl_writev(const struct pt_regs *regs)
{
	long result = ukl_tcp_send_vector(regs->di, (const struct iovec __user *)regs->si, regs->dx, 0, true);

	return result == -ENOTSOCK ? __x64_sys_writev(regs) : result;
}

__visible long ukl_sendto(const struct pt_regs *regs)
{
	unsigned int flags = regs->r10;
	long result = -ENOTSOCK;

	if (!regs->r8 && !(flags & ~UKL_SEND_FLAGS))
		result = ukl_tcp_send(regs->di, (const char __user *)regs->si, regs->dx, flags);
	return result == -ENOTSOCK ? __x64_sys_sendto(regs) : result;
}

__visible long ukl_recvfrom(const struct pt_regs *regs)
{
	unsigned int flags = regs->r10;
	long result = -ENOTSOCK;

	if (!regs->r8 && !(flags & ~UKL_RECEIVE_FLAGS))
		result = ukl_tcp_receive(regs->di, (char __user *)regs->si, regs->dx, flags);
	return result == -ENOTSOCK ? __x64_sys_recvfrom(regs) : result;
}

__visible long ukl_sendmsg(const struct pt_regs *regs)
{
	unsigned int flags = regs->dx;
	struct user_msghdr header;
	long result = -ENOTSOCK;

	if (!(flags & ~UKL_SEND_FLAGS) && !copy_from_user(&header, (void __user *)regs->si, sizeof(header)) &&
	    !header.msg_name && !header.msg_controllen && header.msg_iovlen <= UIO_MAXIOV)
		result = ukl_tcp_send_vector(regs->di, header.msg_iov, header.msg_iovlen, flags, false);
	return result == -ENOTSOCK ? __x64_sys_sendmsg(regs) : result;
}

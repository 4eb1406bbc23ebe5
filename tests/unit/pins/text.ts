/** Texts of /proc as Linux 6.1 writes them. */

/** A process that has locked memory and runs without CAP_IPC_LOCK. */
export const STATUS = `Name:	qemu-system-x86
Umask:	0022
State:	S (sleeping)
Tgid:	4242
Ngid:	0
Pid:	4242
PPid:	1
TracerPid:	0
Uid:	1000	1000	1000	1000
Gid:	1000	1000	1000	1000
FDSize:	256
Groups:	27 100 1000 
VmPeak:	 5386216 kB
VmSize:	 5255144 kB
VmLck:	 4194560 kB
VmPin:	      68 kB
VmHWM:	   65284 kB
VmRSS:	   60404 kB
Threads:	15
CapInh:	0000000000000000
CapPrm:	0000000000000000
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
Seccomp:	0
`;

/** A thread of the kernel: it has no memory and all capabilities. */
export const KTHREAD = `Name:	kworker/0:1-events
Umask:	0000
State:	I (idle)
Tgid:	12
Pid:	12
PPid:	2
Kthread:	1
Threads:	1
CapInh:	0000000000000000
CapPrm:	000001ffffffffff
CapEff:	000001ffffffffff
CapBnd:	000001ffffffffff
`;

/** The limits of a process, with the given ones for locked memory. */
export const limits = (soft: string, hard: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max processes             31372                31372                processes 
Max open files            1024                 1048576              files     
Max locked memory         ${soft.padEnd(20)} ${hard.padEnd(20)} bytes     
Max address space         unlimited            unlimited            bytes     
Max realtime timeout      unlimited            unlimited            us        
`;

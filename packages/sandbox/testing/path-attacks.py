"""Ways to what a rule on paths forbids: /workspace/secret** and keep/** wholly, ro/** to be changed. One line each of what came of it."""

N = 10_000  # tries of each race
import os, errno, ctypes, mmap, sys, threading, time, signal, socket, subprocess, tempfile
l=ctypes.CDLL(None,use_errno=True)
P=ctypes.c_void_p
os.chdir('/workspace')
def code(e): return errno.errorcode.get(e.errno,str(e.errno))
def t(name,f):
    try: r=f()
    except OSError as e: r=code(e)
    print(f'{name}: {r}')
def rd(p,fl=os.O_RDONLY,**k):
    fd=os.open(p,fl,**k)
    try: return os.read(fd,100).decode()
    finally: os.close(fd)
def sc(nr,*a):
    r=l.syscall(nr,*a)
    if r<0: raise OSError(ctypes.get_errno(),'')
    return r
for p in ('secret','./secret','/workspace/./secret','//workspace//secret','/tmp/../workspace/secret','keep/../secret','/proc/self/cwd/secret','/proc/self/root/workspace/secret','/proc/thread-self/root/workspace/secret',f'/proc/{os.getpid()}/cwd/secret',f'/proc/self/task/{os.getpid()}/cwd/secret','/proc/self/../self/cwd/secret','keep/key'):
    t('read '+p,lambda: rd(p))
t('o_path then reopen', lambda: rd('/proc/self/fd/%d'%os.open('secret',os.O_PATH)))
t('o_path dev/fd', lambda: rd('/dev/fd/%d'%os.open('secret',os.O_PATH)))
t('dirfd', lambda: rd('secret',dir_fd=os.open('/workspace',os.O_PATH)))
t('dirfd keep', lambda: rd('key',dir_fd=os.open('keep',os.O_PATH)))
def chd():
    os.chdir('keep')
    try: return rd('key')
    finally: os.chdir('/workspace')
t('chdir',chd)
os.symlink('secret','l1')
t('symlink',lambda: rd('l1'))
os.symlink('/proc/self/cwd/l1','l2')
t('symlink2',lambda: rd('l2'))
os.symlink('keep','lk')
t('symdir',lambda: rd('lk/key'))
t('rename',lambda: os.rename('secret','x'))
t('link',lambda: os.link('secret','x'))
t('link proc', lambda: sc(265,-100,b'/proc/self/fd/%d'%os.open('secret',os.O_PATH),-100,b'x',0x400))
t('link empty', lambda: sc(265,os.open('secret',os.O_PATH),b'',-100,b'x',0x1000))
t('link via symlink follow', lambda: os.link('l1','x2',follow_symlinks=True))
t('rename dir',lambda: os.rename('keep','k2'))
t('exchange', lambda: (os.mkdir('kk'),sc(316,-100,b'kk',-100,b'keep',2)))
t('exchange f', lambda: (open('ff','w').close(),sc(316,-100,b'ff',-100,b'secret',2)))
t('rename link dir', lambda: os.rename('lk','lk2'))
t('rename onto', lambda: os.rename('ff','secretnew'))
t('create', lambda: os.open('secretnew',os.O_CREAT|os.O_WRONLY))
t('mkdir', lambda: os.mkdir('keep/sub'))
t('mkdir secretdir', lambda: os.mkdir('secretdir'))
t('symlink new', lambda: os.symlink('x','secretl'))
t('mknod', lambda: os.mkfifo('secretf'))
t('link onto', lambda: os.link('ff','secretl'))
t('tmpfile link', lambda: sc(265,-100,b'/proc/self/fd/%d'%os.open('.',os.O_TMPFILE|os.O_RDWR),-100,b'secretz',0x400))
t('tmpfile keep', lambda: os.open('keep',os.O_TMPFILE|os.O_RDWR))
t('unlink', lambda: os.unlink('secret'))
t('trunc', lambda: os.truncate('secret',0))
t('chmod', lambda: os.chmod('secret',0o777))
t('chown', lambda: os.chown('secret',1000,1000))
t('utime', lambda: os.utime('secret'))
t('xattr', lambda: os.setxattr('secret','user.a',b'1'))
t('lchmod l1', lambda: os.chmod('l1',0))
# write-only rule: reading is allowed
t('ro read', lambda: rd('ro/f'))
fd=os.open('ro/f',os.O_RDONLY)
t('ro reopen w', lambda: os.open('/proc/self/fd/%d'%fd,os.O_RDWR))
t('ro append', lambda: os.open('ro/f',os.O_WRONLY|os.O_APPEND))
t('ro rd trunc', lambda: os.open('ro/f',os.O_RDONLY|os.O_TRUNC))
t('ro acc3', lambda: os.open('ro/f',3))
t('fchmod', lambda: os.fchmod(fd,0o600))
t('chmod fd path', lambda: os.chmod('/proc/self/fd/%d'%fd,0o600))
t('ro hardlink', lambda: os.link('ro/f','rof'))
t('ro rename', lambda: os.rename('ro','ro2'))
t('rename into ro', lambda: (os.mkdir('in'), os.rename('in','ro/in')))
t('mkdir ro via symlink', lambda: (os.symlink('ro','lro'), os.mkdir('lro/x')))
t('deleted dir create', lambda: (os.mkdir('gone'), (d:=os.open('gone',os.O_PATH)), os.rmdir('gone'), os.open('x',os.O_CREAT|os.O_WRONLY,dir_fd=d)))
# a path in memory that another process changes all the time: whoever looks at it first and opens it then is deceived
try: open('secret', 'w').write('SECRET')
except OSError: pass
m=mmap.mmap(-1,4096)
A=b'plain\0\0'
B=b'secret\0'
m[:7]=A
buf=(ctypes.c_char*4096).from_buffer(m)
addr=ctypes.addressof(buf)
pid=os.fork()
if pid==0:
    while True: m[:7]=A; m[:7]=B
got={}
tried=0
# on until the other process was quick enough at least once: the forbidden content came, or was refused
while tried < N or not {'SECRET', 'EACCES'} & set(got) and tried < 200 * N:
    if m[:5] != b'plain': continue
    tried+=1
    fd=l.syscall(257,-100,P(addr),0)
    if fd<0: k=errno.errorcode[ctypes.get_errno()]
    else: k=os.read(fd,50).decode(); os.close(fd)
    got[k]=got.get(k,0)+1
os.kill(pid,9)
os.waitpid(pid,0)
print('flip', {k:(v>0) for k,v in sorted(got.items())}, file=sys.stderr)
print(got, file=sys.stderr)
print('flip leaked:', any('SECRET' in k for k in got))
# symlink swap by another process
pid=os.fork()
if pid==0:
    while True:
        for x in ('plain','secret'):
            try: os.symlink(x,'tmpl'); os.rename('tmpl','swap')
            except OSError: pass
got={}
tried=0
while tried < N or not {'SECRET', 'EACCES'} & set(got) and tried < 200 * N:
    tried+=1
    try: k=rd('swap')
    except OSError as e: k=code(e)
    got[k]=got.get(k,0)+1
os.kill(pid,9)
os.waitpid(pid,0)
print(got, file=sys.stderr)
print('swap leaked:', any('SECRET' in k for k in got))

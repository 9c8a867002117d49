"""What blocks, dies, is interrupted or comes in crowds while a broker does the program's calls. One line each of what came of it."""

import os, errno, ctypes, sys, threading, time, signal, subprocess
l=ctypes.CDLL(None,use_errno=True)
P=ctypes.c_void_p
os.chdir('/workspace')
I386 = """
import mmap, ctypes
m = mmap.mmap(-1, 4096, prot=7)
m.write(bytes([0xb8, 5, 0, 0, 0, 0xcd, 0x80, 0xc3]))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
"""
def code(e): return errno.errorcode.get(e.errno,str(e.errno))
def t(name,f):
    b=time.time()
    try: r=f()
    except OSError as e: r=code(e)
    except Exception as e: r=type(e).__name__
    print(f'{name}: {r}', f'{time.time()-b:.3f}' if time.time()-b>.3 else '',flush=True)
def rd(p,fl=os.O_RDONLY,**k):
    fd=os.open(p,fl,**k)
    try: return os.read(fd,100).decode()
    finally: os.close(fd)
# fifo
os.mkfifo('p')
def fifo():
    out=[]
    a=threading.Thread(target=lambda: out.append(rd('p'))); a.start(); time.sleep(.2)
    other=rd('plain'); w=os.open('p',os.O_WRONLY); os.write(w,b'hi'); os.close(w); a.join(5); return out, other
t('fifo',fifo)
def many():
    ths=[]; out=[]
    for i in range(20): os.mkfifo(f'q{i}')
    for i in range(20): x=threading.Thread(target=lambda i=i: out.append(rd(f'q{i}'))); x.start(); ths.append(x)
    time.sleep(.3)
    for i in range(20):
        w=os.open(f'q{i}',os.O_WRONLY); os.write(w,b'x'); os.close(w)
    [x.join(5) for x in ths]; return ''.join(out)
t('many fifos',many)
def alarm():
    class A(Exception): pass
    def h(*a): raise A()
    signal.signal(signal.SIGALRM,h); signal.setitimer(signal.ITIMER_REAL,.2)
    try: rd('p')
    except A: return 'interrupted'
t('fifo alarm',alarm)
def alarm2():
    n=[0]
    def h(*a): n[0]+=1
    signal.signal(signal.SIGALRM,h); signal.siginterrupt(signal.SIGALRM, False); signal.setitimer(signal.ITIMER_REAL,.1)
    threading.Timer(.5,lambda: os.close(os.open('p',os.O_WRONLY))).start()
    return rd('p'), n
t('fifo restart',alarm2)
def killed():
    ps=[]
    for i in range(10):
        p=os.fork()
        if p==0: rd('p'); os._exit(0)
        ps.append(p)
    time.sleep(.2); [os.kill(p,9) for p in ps]; [os.waitpid(p,0) for p in ps]; time.sleep(.2); return rd('plain')
t('killed in fifo',killed)
def killer():
    for i in range(200):
        p=os.fork()
        if p==0:
            while True:
                fd=os.open('w%d'%i,os.O_CREAT|os.O_WRONLY); os.close(fd); os.unlink('w%d'%i)
        time.sleep(.001); os.kill(p,9); os.waitpid(p,0)
    return rd('plain')
t('sigkill mid-call',killer)
def threads():
    out=[]; b=threading.Barrier(200)
    def one(i):
        b.wait()
        for k in range(5):
            with open(f'th{i}','w') as f: f.write(str(i))
            out.append(open(f'th{i}').read()==str(i))
    ts=[threading.Thread(target=one,args=(i,)) for i in range(200)]; [x.start() for x in ts]; [x.join() for x in ts]; return len(out), all(out)
t('200 threads',threads)
def storm():
    n=[0]
    signal.signal(signal.SIGUSR1,lambda *a: n.__setitem__(0,n[0]+1)); me=os.getpid()
    p=os.fork()
    if p==0:
        while True: os.kill(me,signal.SIGUSR1)
    ok=0
    for i in range(200):
        fd=os.open('st%d'%i,os.O_CREAT|os.O_EXCL|os.O_WRONLY); os.close(fd); 
        while True:
            try: os.unlink("st%d"%i); break
            except InterruptedError: pass
        ok+=1
    until=time.time()+10
    while n[0]<=10 and time.time()<until: time.sleep(0.01) # on few cores it may not have had its turn yet
    os.kill(p,9); os.waitpid(p,0); return ok, n[0]>10
t('signals',storm)
def nondump():
    l.prctl(4,0,0,0,0); r=rd('plain'), rd('/proc/self/status')[:5]
    try: rd('secret')
    except OSError as e: r+=(code(e),)
    l.prctl(4,1,0,0,0); return r
t('undumpable',nondump)
def other():
    r,w=os.pipe(); p=os.fork()
    if p==0: l.prctl(4,0,0,0,0); os.write(w,b'1'); time.sleep(5); os._exit(0)
    os.read(r,1); out=[]
    for x in ('environ','maps','cwd/plain','fd/0','status','mem'):
        try: rd(f'/proc/{p}/{x}'); out.append('ok')
        except OSError as e: out.append(code(e))
    os.kill(p,9); os.waitpid(p,0); return out
t('another undumpable', other)
def dumpother():
    r,w=os.pipe(); p=os.fork()
    if p==0: os.write(w,b'1'); time.sleep(5); os._exit(0)
    os.read(r,1); out=[]
    for x in ('environ','maps','cwd/plain','status'):
        try: rd(f'/proc/{p}/{x}'); out.append('ok')
        except OSError as e: out.append(code(e))
    os.kill(p,9); os.waitpid(p,0); return out
t('another', dumpother)
def deep():
    d=os.getcwd(); n=0
    try:
        for i in range(40): os.mkdir('a'*200); os.chdir('a'*200); n+=1
        return 'deep',n
    except OSError as e: return code(e), n
    finally: os.chdir(d)
t('deep',deep)
def lease():
    import fcntl
    open('le','w').close(); fd=os.open('le',os.O_RDONLY); fcntl.fcntl(fd,1024,0)  # F_SETLEASE F_RDLCK
    signal.signal(signal.SIGIO,signal.SIG_IGN)
    threading.Timer(.5,lambda: fcntl.fcntl(fd,1024,2)).start()
    x=threading.Thread(target=lambda: os.close(os.open('le',os.O_WRONLY))); b=time.time(); x.start(); time.sleep(.1); r=rd('plain'); mid=time.time()-b; x.join(); return r, mid<.3, time.time()-b>.3
t('lease',lease)
t('ptrace broker', lambda: [p for p in os.listdir('/proc') if p.isdigit() and open(f'/proc/{p}/comm').read().strip()=='watcher'])
t('kill all', lambda: (signal.signal(signal.SIGTERM,signal.SIG_IGN), os.kill(-1,signal.SIGTERM), rd('plain')))
t('i386', lambda: subprocess.run(['/usr/bin/python3', '-c', I386], capture_output=True, text=True).returncode)

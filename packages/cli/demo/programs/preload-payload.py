# What the attacker sends: overwrite a file that belongs to root, from wherever this runs.
import subprocess

FLAG = "/etc/plastron-demo/flag"


def overwrite(path):
    with open(path, "w") as file:
        file.write("overwritten by the attacker")


control(attempt(overwrite, "/tmp/control"))
error = attempt(overwrite, FLAG)
if error == 0:
    identity = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    tell("succeeded", f"as {identity}, outside every filter: {FLAG} overwritten")
else:
    conclude({"overwrite": error})
